//! `velo consume`

use crate::support::ending::{self, Limit};
use crate::support::records::{User, a_minute_ago};
use crate::support::terminal::Terminal;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

on_both_clusters! {
    fn it_starts_where_it_is_told(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "0\n1\n2\n3\n4\n", &[]);
        for (options, shown) in [
            (&["--from-beginning", "--exit-at-end"][..], "0\n1\n2\n3\n4\n"),
            (&["--from-beginning", "--count", "2"], "0\n1\n"),
            (&["--offset", "3", "--exit-at-end"], "3\n4\n"),
            (&["--offset", "-2", "--exit-at-end"], "3\n4\n"),
            (&["--offset", "beginning", "--count", "1"], "0\n"),
            (&["--offset", "end", "--exit-at-end"], ""),
            (&["--exit-at-end"], ""),
            (&["--tail", "2"], "3\n4\n"),
            (&["--tail", "9"], "0\n1\n2\n3\n4\n"),
            (&["--from", "@-1h", "--exit-at-end"], "0\n1\n2\n3\n4\n"),
            (&["--from", "@+1h", "--exit-at-end"], ""),
            (&["--until", "@now"], "0\n1\n2\n3\n4\n"),
            (&["--until", "@-1h"], ""),
        ] {
            let ended = user.velo(&[&["consume", &topic], options].concat()).succeeds();
            assert_eq!(ended.stdout, shown, "{options:?}");
        }
    }

    fn times_choose_records(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let first = a_minute_ago();
        let lines: String = (0..5)
            .map(|number| format!("{{\"timestamp\":{},\"value\":\"{number}\"}}\n", first + number))
            .collect();
        user.writes(&topic, &lines, &["--jsonl"]);
        let (from, until) = (format!("@{}", first + 1), format!("@{}", first + 3));
        let span = ["consume", &topic, "--from", &from, "--until", &until];
        assert_eq!(user.velo(&span).succeeds().stdout, "1\n2\n");
    }

    fn the_last_records_of_all_partitions_come_in_the_order_of_their_times(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(3);
        let first = a_minute_ago();
        for number in 0..9 {
            let line = format!("{{\"timestamp\":{},\"value\":\"{number}\"}}\n", first + number);
            user.writes(&topic, &line, &["--jsonl", "--partition", &(number % 3).to_string()]);
        }
        assert_eq!(user.velo(&["consume", &topic, "--tail", "4"]).succeeds().stdout, "5\n6\n7\n8\n");
        let matching = ["consume", &topic, "--tail", "2", "--grep", "[0-3]"];
        assert_eq!(user.velo(&matching).succeeds().stdout, "2\n3\n");
    }

    fn records_look_as_asked(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let time = a_minute_ago();
        let rest = r#""key":"k","headers":[{"name":"h","value":"1"}],"value":"{\"a\":1}"}"#;
        user.writes(&topic, &format!("{{\"timestamp\":{time},{rest}"), &["--jsonl"]);
        assert_eq!(
            user.reads(&topic, &["--format", "%t %p %o %T %k %K %v %S %h %%\\x21"]),
            format!("{topic} 0 0 {time} k 1 {{\"a\":1}} 7 h=1 %!\n")
        );
        assert_eq!(user.reads(&topic, &["--key-separator", "|"]), "k|{\"a\":1}\n");
        assert_eq!(
            user.reads(&topic, &["--output", "jsonl"]),
            format!(
                r#"{{"topic":"{topic}","partition":0,"offset":0,"timestamp":{time},"timestamp_type":"create",{rest}"#
            ) + "\n"
        );
        let pretty = user.reads(&topic, &["--output", "pretty"]);
        assert!(pretty.starts_with(&format!("── {topic}-0 @ 0  20")), "{pretty}");
        assert!(pretty.ends_with("  key k\nheaders h=1\n{\n  \"a\": 1\n}\n"), "{pretty}");
        for (same, other) in [("table", "pretty"), ("json", "jsonl")] {
            assert_eq!(user.reads(&topic, &["-o", same]), user.reads(&topic, &["--output", other]));
        }
        assert_eq!(user.reads(&topic, &["-o", "plain"]), user.reads(&topic, &[]));
    }

    fn escape_codes_of_a_record_steer_no_terminal(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let name = "h:\x1b[31mred";
        user.writes(&topic, "\x1b]0;mine\x07:\x1b[2Jgone\n", &["--key-separator", ":", "-H", name]);
        let pretty = user.reads(&topic, &["--output", "pretty"]);
        // What another program reads is what was written, what a terminal shows is not.
        assert!(pretty.contains("key \x1b]0;mine\x07\nheaders h=\x1b[31mred\n\x1b[2Jgone\n"), "{pretty:?}");
        assert_eq!(user.reads(&topic, &[]), "\x1b[2Jgone\n");
        for style in [&["--from-beginning"][..], &["--from-beginning", "--format", "%k %v"], &["--from-beginning", "-o", "pretty"], &["--tail", "1"]] {
            let consume = [&["consume", &topic, "--exit-at-end"], style].concat();
            let shown = Terminal::on(user.process(&consume)).rest();
            assert!(shown.contains("\\u001b[2Jgone") && !shown.contains("\x1b[2J"), "{style:?}: {shown:?}");
        }
    }

    fn grep_shows_what_matches_in_key_or_value(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "a:open\nb:closed\nopen:x\n", &["--key-separator", ":"]);
        assert_eq!(user.reads(&topic, &["--grep", "^open$"]), "open\nx\n");
        let wrong = user.velo(&["consume", &topic, "--grep", "("]).fails_with(2);
        assert!(wrong.stderr.contains("`(` is not a regular expression"), "{}", wrong.stderr);
    }

    fn a_group_goes_on_where_it_stopped_after_what_was_shown(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("readers");
        user.writes(&topic, "1\n2\n3\n", &[]);
        let member = ["consume", &topic, "--group", &group, "--from-beginning"];
        let first = user.velo(&[&member[..], &["--count", "2"]].concat()).succeeds();
        assert_eq!(first.stdout, "1\n2\n");
        let second = user.velo(&[&member[..], &["--exit-at-end"]].concat()).succeeds();
        assert_eq!(second.stdout, "3\n");
        let third = user.velo(&[&member[..], &["--exit-at-end"]].concat()).succeeds();
        assert_eq!(third.stdout, "");
    }

    fn an_interrupted_member_commits_leaves_and_exits_with_130(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("readers");
        user.writes(&topic, "1\n2\n", &[]);
        let member = ["consume", &topic, "--group", &group, "--from-beginning"];
        let mut process = user.process(&member).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let _limit = Limit::on(&process);
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "1");
        assert_eq!(lines.next().unwrap().unwrap(), "2");
        ending::interrupt(&process);
        assert_eq!(ending::ended(&mut process).code(), Some(130));
        // At once, since the first one left: a member that is only dead keeps its partition for its session timeout.
        user.writes(&topic, "3\n", &[]);
        let next = user.velo(&[&member[..], &["--count", "1"]].concat()).succeeds();
        assert_eq!(next.stdout, "3\n");
    }

    fn a_reader_that_goes_away_is_no_failure(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, &format!("{}\n", "x".repeat(100)), &["--repeat", "20000"]);
        let mut process = user
            .process(&["consume", &topic, "--from-beginning"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _limit = Limit::on(&process);
        let mut start = [0; 10];
        let mut stdout = process.stdout.take().unwrap();
        stdout.read_exact(&mut start).unwrap();
        drop(stdout);
        let ended = ending::all_of(process);
        assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(0), String::new()));
    }

    fn a_topic_that_grows_is_read_on_and_one_that_is_deleted_ends_the_reading(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "1\n", &[]);
        let mut process = user
            .process(&["consume", &topic, "--from-beginning"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _limit = Limit::on(&process);
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "1");
        user.velo(&["topic", "alter", &topic, "--partitions", "2"]).succeeds();
        user.writes(&topic, "2\n", &["--partition", "1"]);
        assert_eq!(lines.next().unwrap().unwrap(), "2");
        user.velo(&["topic", "delete", &topic, "--yes"]).succeeds();
        let ended = ending::all_of(process);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("cannot read on from {topic}")) && said.contains("deleted"), "{said}");
    }

    fn a_topic_that_is_not_there_is_told(cluster) {
        let user = User::at(cluster);
        let missing = cluster.name("missing");
        let refused = user.velo(&["consume", &missing]).fails_with(1);
        assert!(
            refused.stderr.starts_with(&format!("error: topic `{missing}` does not exist\n")),
            "{}",
            refused.stderr
        );
    }

    fn a_person_who_sees_nothing_is_told_why(cluster) {
        let user = User::at(cluster);
        let (topic, empty) = (user.topic(1), user.topic(1));
        let group = cluster.name("readers");
        user.writes(&topic, "1\n2\n", &[]);
        user.velo(&["consume", &topic, "--group", &group, "--from-beginning", "--count", "2"]).succeeds();
        for (options, told) in [
            (&[topic.as_str()][..], "started at the end"),
            (&[&empty, "--from-beginning"], "is empty"),
            (&[&topic, "--group", &group], "velo group reset"),
            (&[&topic, "--from-beginning", "--grep", "3"], "none of 2 records read matches --grep 3"),
        ] {
            let mut terminal = Terminal::on(user.process(&[&["consume"], options].concat()));
            terminal.expect(told);
        }
    }
}

#[test]
fn an_unreachable_cluster_is_told_at_once_with_exit_code_3() {
    let home = crate::support::velo::Home::new();
    let refused = home
        .velo(&["consume", "t", "--bootstrap-server", "127.0.0.1:1"])
        .fails_with(3);
    assert!(
        refused
            .stderr
            .starts_with("error: no broker answers on 127.0.0.1:1\n"),
        "{}",
        refused.stderr
    );
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let home = crate::support::velo::Home::new();
    for wrong in [
        &["consume"][..],
        &["consume", "t", "--from-beginning", "--offset", "3"],
        &["consume", "t", "--group", "g", "--partition", "0"],
        &["consume", "t", "--offset", "three"],
        &["consume", "t", "--from", "@yesterday"],
        &["consume", "t", "--format", "%q"],
        &["consume", "t", "--output", "table", "--format", "%v"],
        &["-o", "json", "consume", "t", "--key-separator", ":"],
        &["consume", "t", "--output", "columns"],
        &["consume", "t", "--count", "0"],
        &["produce", "t", "--key-separator", ""],
        &["produce", "t", "-H", "no colon"],
        &["produce", "t", "--jsonl", "--key", "k"],
    ] {
        home.velo(wrong).fails_with(2);
    }
}
