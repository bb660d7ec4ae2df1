//! The runner on a terminal, as a learner sits at it, with a second terminal beside.

use crate::support::cluster::Cluster;
use crate::support::velo::Home;
use expectrl::{Eof, Expect, Session};
use std::process::Command;
use std::time::Duration;

on_both_clusters! {
    fn the_runner_notices_what_happens_in_another_terminal(cluster) {
        a_learner_makes_a_topic(cluster);
    }
}

fn a_learner_makes_a_topic(cluster: &Cluster) {
    let home = Home::new();
    let prefix = format!("{}-", cluster.name("terminal"));
    let topic = format!("{prefix}iabd-topic");
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["lesson", "start", "hello-kafka", "--prefix", &prefix])
        .args(at)
        .env("VELO_HOME", home.path())
        .env("NO_COLOR", "1");
    let mut terminal = Session::spawn(command).unwrap();
    terminal.set_expect_timeout(Some(Duration::from_secs(60)));
    terminal.expect("Is anybody there?").unwrap();
    terminal.expect("Enter go on").unwrap();
    terminal.send_line("").unwrap();
    terminal.expect("A topic of your own").unwrap();
    terminal.expect("I am watching the cluster").unwrap();
    terminal.send_line("h").unwrap();
    terminal.expect("Hint 1 of 3").unwrap();

    let create = [&["topic", "create", &topic, "--partitions", "1"], &at[..]].concat();
    home.velo(&create).succeeds();
    terminal.expect("wanted yes, is yes").unwrap();
    terminal.expect("Well done").unwrap();
    terminal.expect("Enter goes on").unwrap();
    terminal.send_line("q").unwrap();
    terminal.expect("Your place is kept").unwrap();
    terminal.expect(Eof).unwrap();

    let status = home
        .velo(&["lesson", "status", "--lang", "en", "--output", "plain"])
        .succeeds()
        .stdout;
    assert!(status.contains("create\tA topic of your own\tpassed"), "{status}");

    home.velo(&["lesson", "reset", "hello-kafka", "--yes"]).succeeds();
    let topics = home
        .velo(&[&["topic", "list"], &at[..]].concat())
        .succeeds()
        .stdout;
    assert!(!topics.contains(&topic), "{topics}");
}
