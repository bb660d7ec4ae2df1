//! A cluster whose disk takes no more.

use crate::support::ending;
use crate::support::velo::Home;
use std::process::{Command, Stdio};

/// Runs a command whose files can't grow beyond some KiB, as on a full disk.
const CRAMPED: &str = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";

#[test]
fn a_controller_that_cannot_write_its_log_ends_the_cluster_and_says_so() {
    let home = Home::new();
    let data = home.path().join("full");
    let mut node = Command::new("sh")
        .args(["-c", CRAMPED, env!("CARGO_BIN_EXE_velo")])
        .args(["cluster", "start", "--foreground", "--port", "0", "--data"])
        .arg(&data)
        .env("VELO_HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = ending::first_line(&mut node);
    let bootstrap = line.strip_prefix("ready ").unwrap();
    let mut acknowledged = Vec::new();
    loop {
        let name = format!("t{}", acknowledged.len());
        let made = home.velo(&[
            "topic",
            "create",
            &name,
            "--partitions",
            "20",
            "--bootstrap-server",
            bootstrap,
        ]);
        if made.code != 0 {
            break;
        }
        acknowledged.push(name);
        assert!(acknowledged.len() < 100, "the metadata log grew over the limit");
    }
    let ended = ending::all_of(node);
    let said = String::from_utf8_lossy(&ended.stderr);
    let at = said.find("error: the cluster had to end\n");
    let last = at
        .and_then(|at| said.get(at..))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(
        last.contains("why: the metadata log cannot be written: "),
        "{last}"
    );
    assert!(
        last.contains(&format!("hint: velo cluster start --data {}", data.display())),
        "{last}"
    );
    assert_eq!(ended.status.code(), Some(1));

    let data = data.to_str().unwrap();
    home.velo(&["cluster", "start", "--port", "0", "--data", data])
        .succeeds();
    let status = home
        .velo(&["cluster", "status", "--data", data, "--output", "plain"])
        .succeeds();
    let bootstrap = status.stdout.split('\t').next().unwrap();
    let listed = home
        .velo(&[
            "topic",
            "list",
            "--output",
            "plain",
            "--bootstrap-server",
            bootstrap,
        ])
        .succeeds();
    let mut names: Vec<&str> = listed
        .stdout
        .lines()
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    names.sort_unstable();
    acknowledged.sort();
    home.velo(&["cluster", "stop", "--data", data]).succeeds();
    assert_eq!(
        names, acknowledged,
        "what was acknowledged is there, and nothing else"
    );
}
