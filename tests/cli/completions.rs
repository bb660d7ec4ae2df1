//! `velo completions`

use crate::support::records::User;

on_both_clusters! {
    fn tab_offers_the_topics_and_groups_of_the_live_cluster(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(1), cluster.name("tab"));
        user.velo(&["group", "reset", &group, "--to", "0", "--topic", &topic, "--execute"]).succeeds();
        for (words, offered) in [
            (&["velo", "topic", "describe", ""][..], topic.as_str()),
            (&["velo", "offsets", ""], &topic),
            (&["velo", "group", "members", ""], &group),
            (&["velo", "config", "set", "topic", "any", ""], "retention.ms="),
        ] {
            let asked = user
                .command(&[&["--"], words].concat())
                .env("VELO_COMPLETE", "bash")
                .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
                .env("_CLAP_IFS", "\n")
                .output()
                .unwrap();
            let candidates = String::from_utf8(asked.stdout).unwrap();
            assert!(candidates.lines().any(|line| line == offered), "{words:?}: {candidates}");
        }
    }
}
