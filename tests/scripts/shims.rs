//! The shims in `scripts/`: one for each script of the table, and each hands everything on to `velo`.
//!
//! After a change of the table: `VELO_WRITE_SHIMS=1 cargo test --test suite shims` writes them.

use crate::support::ending::{self, Limit};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use velodrome::scripts::{SCRIPTS, shims};

fn expected() -> BTreeMap<PathBuf, String> {
    let shell = SCRIPTS.iter().map(|script| {
        (
            format!("scripts/{}.sh", script.name).into(),
            shims::shell(script.name),
        )
    });
    let batch = SCRIPTS.iter().map(|script| {
        let path = format!("scripts/windows/{}.bat", script.name).into();
        (path, shims::batch(script.name))
    });
    shell.chain(batch).collect()
}

fn present() -> Vec<PathBuf> {
    let inside = |folder: &str, ending: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|found| found == ending))
            .collect()
    };
    [inside("scripts", "sh"), inside("scripts/windows", "bat")].concat()
}

#[test]
fn there_is_one_shim_for_each_script_and_none_besides() {
    let expected = expected();
    if std::env::var_os("VELO_WRITE_SHIMS").is_some() {
        write(&expected);
    }
    for path in present() {
        assert!(expected.contains_key(&path), "{} runs no script", path.display());
    }
    for (path, text) in &expected {
        let found = fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == *text,
            "{} is missing or stale: VELO_WRITE_SHIMS=1 cargo test --test suite shims",
            path.display()
        );
    }
}

fn write(expected: &BTreeMap<PathBuf, String>) {
    fs::create_dir_all("scripts/windows").unwrap();
    for stale in present().iter().filter(|path| !expected.contains_key(*path)) {
        fs::remove_file(stale).unwrap();
    }
    for (path, text) in expected {
        fs::write(path, text).unwrap();
        executable(path);
    }
}

#[cfg(unix)]
fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.extension().is_some_and(|ending| ending == "sh") {
        0o755
    } else {
        0o644
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(windows)]
fn executable(_path: &Path) {}

/// A folder with spaces that has a shim and, as `velo` on `PATH`, a program that shows what it was given.
#[cfg(unix)]
fn folder_with(velo: &str) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("a folder ").tempdir().unwrap();
    for (name, text) in [
        ("kafka-topics.sh", shims::shell("kafka-topics").as_str()),
        ("velo", velo),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    folder
}

#[cfg(unix)]
fn shim(folder: &Path) -> Command {
    let mut command = Command::new("bash");
    let path = format!("{}:/usr/bin:/bin", folder.display());
    command.arg(folder.join("kafka-topics.sh")).env("PATH", path);
    command
}

#[cfg(unix)]
#[test]
fn spaces_quotes_and_empty_words_arrive_as_they_were_typed() {
    let folder = folder_with("#!/bin/sh\nfor word in \"$@\"; do printf '<%s>' \"$word\"; done\nexit 7\n");
    let words = ["--topic", "two words", "", "it's \"quoted\"", "$HOME", "*"];
    let output = ending::output(shim(folder.path()).args(words));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "<kafka-topics><--topic><two words><><it's \"quoted\"><$HOME><*>"
    );
    assert_eq!(output.status.code(), Some(7));
}

#[cfg(unix)]
#[test]
fn input_passes_through_and_a_closed_pipe_ends_it() {
    let folder = folder_with("#!/bin/sh\nexec cat\n");
    let script = folder.path().join("kafka-topics.sh");
    let line = "yes line | bash \"$SHIM\" | head -n 2";
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut bash = Command::new("bash");
    let output = ending::output(bash.args(["-c", line]).env("SHIM", script).env("PATH", path));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "line\nline\n");
}

#[cfg(unix)]
#[test]
fn a_signal_reaches_velo_itself() {
    use std::io::{BufRead, BufReader};
    let folder = folder_with(
        "#!/bin/sh\ntrap 'echo stopped; exit 5' TERM\necho \"$$\"\nwhile :; do sleep 0.01; done\n",
    );
    let mut child = shim(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let _limit = Limit::on(&child);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The shim has become velo: no shell is left in between.
    assert_eq!(lines.next().unwrap().unwrap(), child.id().to_string());
    assert!(
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(lines.next().unwrap().unwrap(), "stopped");
    assert_eq!(ending::ended(&mut child).code(), Some(5));
}

#[cfg(unix)]
#[test]
fn without_velo_a_shim_says_how_to_get_it() {
    let folder = folder_with("");
    fs::remove_file(folder.path().join("velo")).unwrap();
    let output = ending::output(shim(folder.path()).arg("--list"));
    assert_eq!(output.status.code(), Some(127));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("velo is neither on PATH nor built in"), "{told}");
    assert!(told.ends_with("hint: cargo build --release\n"), "{told}");
}

/// Runs a line in bash, in which the checkout's scripts and `velo` are on `PATH`.
#[cfg(unix)]
fn bash(home: &crate::support::velo::Home, line: &str) -> std::process::Output {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let velo = Path::new(env!("CARGO_BIN_EXE_velo")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", scripts.display(), velo.display());
    let mut command = Command::new("bash");
    command.args(["-o", "pipefail", "-c", line]);
    command.env("PATH", path).env("VELO_HOME", home.path());
    ending::output(&mut command)
}

#[cfg(unix)]
on_both_clusters! {
    fn scripts_work_in_pipes_and_with_quotes(cluster) {
        let home = crate::support::velo::Home::new();
        let (at, topic) = (cluster.bootstrap(), cluster.name("pipes"));
        let made = bash(&home, &format!("kafka-topics.sh --create --topic \"{topic}\" --bootstrap-server {at}"));
        assert_eq!(String::from_utf8_lossy(&made.stdout), format!("Created topic {topic}.\n"));
        let written = bash(&home, &format!(
            "printf '%s\\n' 'k 1|it'\\''s \"one\"' 'k 2|two  spaces' | kafka-console-producer.sh --topic {topic} \
             --reader-property parse.key=true --reader-property 'key.separator=|' --bootstrap-server {at}"
        ));
        assert_eq!(written.status.code(), Some(0), "{written:?}");
        let read = bash(&home, &format!(
            "kafka-console-consumer.sh --topic {topic} --from-beginning --formatter-property print.key=true \
             --formatter-property key.separator=' = ' --max-messages 2 --bootstrap-server {at} | tr a-z A-Z"
        ));
        assert_eq!(String::from_utf8_lossy(&read.stdout), "K 1 = IT'S \"ONE\"\nK 2 = TWO  SPACES\n");
        let none = bash(&home, &format!(
            "kafka-topics.sh --describe --topic {topic}-absent --bootstrap-server {at} || echo \"code $?\""
        ));
        assert!(String::from_utf8_lossy(&none.stdout).ends_with("\ncode 1\n"), "{none:?}");
    }
}

#[test]
fn scripts_installed_into_a_bin_folder_find_their_settings_beside_it() {
    let home = crate::support::velo::Home::new();
    let bin = home.path().join("kafka/bin");
    home.velo(&["scripts", "install", bin.to_str().unwrap()])
        .succeeds();
    let settings = home.path().join("kafka/config/server.properties");
    assert!(
        fs::read_to_string(&settings)
            .unwrap()
            .contains("listeners=PLAINTEXT://:9092")
    );
    fs::write(&settings, "node.id=9\n").unwrap();
    home.velo(&["scripts", "install", bin.to_str().unwrap()])
        .succeeds();
    assert_eq!(fs::read_to_string(&settings).unwrap(), "node.id=9\n");
}

#[cfg(unix)]
#[test]
fn scripts_are_installed_by_both_their_names_and_never_over_what_is_not_theirs() {
    let home = crate::support::velo::Home::new();
    let folder = home.path().join("a folder/kafka scripts");
    let words = ["scripts", "install", folder.to_str().unwrap()];
    for _ in 0..2 {
        home.velo(&words).succeeds();
    }
    for name in ["kafka-topics", "kafka-topics.sh"] {
        let output = Command::new(folder.join(name)).arg("--version").output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "4.4.0\n", "{name}");
    }
    fs::remove_file(folder.join("kafka-topics")).unwrap();
    fs::write(folder.join("kafka-topics"), "echo mine\n").unwrap();
    let refused = home.velo(&words).fails_with(1);
    assert!(
        refused
            .stderr
            .contains("kafka-topics is there already, and not ours"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        fs::read_to_string(folder.join("kafka-topics")).unwrap(),
        "echo mine\n"
    );
}
