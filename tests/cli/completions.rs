//! `velo completions`

use crate::support::records::User;
use std::time::{Duration, Instant};

on_both_clusters! {
    fn tab_offers_the_topics_and_groups_of_the_live_cluster(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(1), cluster.name("tab"));
        user.velo(&["group", "reset", &group, "--to", "0", "--topic", &topic, "--execute"]).succeeds();
        let deadline = Instant::now() + Duration::from_secs(60);
        for (words, offered) in [
            (&["velo", "topic", "describe", ""][..], topic.as_str()),
            (&["velo", "offsets", ""], &topic),
            (&["velo", "group", "members", ""], &group),
            (&["velo", "config", "set", "topic", "any", ""], "retention.ms="),
        ] {
            loop {
                let candidates = pressed(&user, words);
                if candidates.lines().any(|line| line == offered) {
                    break;
                }
                assert!(Instant::now() < deadline, "{words:?}: {candidates}");
            }
        }
    }
}

/// What a shell is offered when Tab is pressed behind the words.
fn pressed(user: &User<'_>, words: &[&str]) -> String {
    let asked = user
        .command(&[&["--"], words].concat())
        .env("VELO_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    String::from_utf8(asked.stdout).unwrap()
}
