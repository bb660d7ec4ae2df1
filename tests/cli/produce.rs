//! `velo produce`

use crate::support::ending;
use crate::support::records::{User, a_minute_ago};
use crate::support::terminal::Terminal;
use std::io::Write;
use std::process::Stdio;

on_both_clusters! {
    fn each_line_becomes_a_record_and_the_places_are_told(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let said = user.writes(&topic, "one\ntwo\r\n\nlast without a line feed", &[]);
        assert_eq!(
            said.stderr,
            format!("4 records written to {topic}\n  partition 0: 4 records, offsets 0 to 3\n")
        );
        assert_eq!(said.stdout, "");
        assert_eq!(user.reads(&topic, &[]), "one\ntwo\n\nlast without a line feed\n");
        let said = user.writes(&topic, "more\n", &["--output", "plain"]);
        assert_eq!(said.stdout, format!("{topic}\t0\t1\t4\t4\n"));
    }

    fn keys_headers_and_nulls_are_what_the_options_say(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "a:1\nb:\nc:NULL\n", &["--key-separator", ":", "--null-marker", "NULL"]);
        user.writes(&topic, "x\n", &["--key", "k", "-H", "source:velib", "-H", "empty:"]);
        assert_eq!(
            user.reads(&topic, &["--format", "%k=%v %S %h"]),
            "a=1 1 \nb= 0 \nc=null -1 \nk=x 1 source=velib,empty=\n"
        );
    }

    fn a_line_without_a_separator_is_refused_by_its_number(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let refused = user
            .velo_with("a:1\nb:2\noops\n", &["produce", &topic, "--key-separator", ":"])
            .fails_with(1);
        assert!(
            refused.stderr.ends_with("error: line 3 is not a record\n  why: no key separator `:` in it\n"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.starts_with("2 records written"), "{}", refused.stderr);
    }

    fn records_that_the_broker_refuses_are_named(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let long = "x".repeat(2_000_000);
        let refused = user
            .velo_with(format!("short\n{long}\n"), &["produce", &topic])
            .fails_with(1);
        assert!(refused.stderr.contains("1 record was not written"), "{}", refused.stderr);
        assert!(refused.stderr.contains("why: line 2: "), "{}", refused.stderr);
        assert!(refused.stderr.contains("max.message.bytes"), "{}", refused.stderr);
        assert_eq!(user.reads(&topic, &[]), "short\n");
    }

    fn json_lines_come_back_as_they_went(cluster) {
        let user = User::at(cluster);
        let (topic, copy) = (user.topic(1), user.topic(1));
        let lines: String = [
            r#""key":"ké","headers":[{"name":"h","value":"1"},{"name":"h","value":null}],"value":"v\n\"w"}"#,
            r#""key":null,"value":null}"#,
            r#""key_base64":"//4=","headers":[{"name":"b","value_base64":"gA=="}],"value":""}"#,
        ]
        .map(|rest| format!("{{\"timestamp\":{},{rest}\n", a_minute_ago()))
        .concat();
        user.writes(&topic, &lines, &["--jsonl"]);
        let read = user.reads(&topic, &["--output", "jsonl"]);
        user.writes(&copy, &read, &["--jsonl"]);
        assert_eq!(user.reads(&copy, &["--output", "json"]), read.replace(&topic, &copy));
        for (line, sent) in read.lines().zip(lines.lines()) {
            let (line, sent): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(line).unwrap(), serde_json::from_str(sent).unwrap());
            for (name, value) in sent.as_object().unwrap() {
                assert_eq!(&line[name], value, "{line}");
            }
        }
    }

    fn a_file_a_partition_codecs_and_repetitions(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"a\nb\n").unwrap();
        let path = file.path().to_str().unwrap();
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            user.writes(&topic, "", &["--file", path, "--partition", "1", "--compression", codec]);
        }
        user.writes(&topic, "c\n", &["--partition", "1", "--repeat", "3", "--rate", "100", "--acks", "1"]);
        assert_eq!(user.reads(&topic, &["--partition", "1"]), "a\nb\n".repeat(5) + "c\nc\nc\n");
        assert_eq!(user.reads(&topic, &["--partition", "0"]), "");
    }

    fn equal_keys_share_a_partition_and_it_is_the_one_of_java_clients(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(10);
        user.writes(&topic, "56:a\n56:b\n", &["--key-separator", ":"]);
        // What Java's own producer does with the key "56" and ten partitions.
        assert_eq!(user.reads(&topic, &["--format", "%p %v"]), "4 a\n4 b\n");
    }

    fn a_topic_or_partition_that_is_not_there_is_told(cluster) {
        let user = User::at(cluster);
        let missing = cluster.name("missing");
        let refused = user.velo_with("x\n", &["produce", &missing]).fails_with(1);
        assert!(
            refused.stderr.starts_with(&format!("error: topic `{missing}` does not exist\n")),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains(&format!("hint: velo topic create {missing}")), "{}", refused.stderr);
        let topic = user.topic(2);
        let refused = user.velo_with("x\n", &["produce", &topic, "--partition", "2"]).fails_with(2);
        assert!(refused.stderr.contains("it has 2 partitions: 0 to 1"), "{}", refused.stderr);
    }

    fn an_interrupt_writes_what_was_accepted_and_exits_with_130(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let mut process = user
            .process(&["produce", &topic])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        input.write_all(b"one\ntwo\n").unwrap();
        let shown = user.velo(&["consume", &topic, "--from-beginning", "--count", "2"]).succeeds();
        assert_eq!(shown.stdout, "one\ntwo\n");
        ending::interrupt(&process);
        let ended = ending::all_of(process);
        assert_eq!(ended.status.code(), Some(130));
        assert!(String::from_utf8_lossy(&ended.stderr).contains("2 records written"));
        drop(input);
    }

    fn a_person_is_greeted_and_prompted(cluster) {
        use expectrl::ControlCode;
        let user = User::at(cluster);
        let topic = user.topic(1);
        let mut terminal = Terminal::on(user.process(&["produce", &topic]));
        terminal.expect(format!("for topic {topic}"));
        terminal.expect("Ctrl-D");
        terminal.expect("> ");
        terminal.send_line("hello");
        terminal.expect("> ");
        assert_eq!(user.reads(&topic, &[]), "hello\n");
        terminal.send_line("world");
        terminal.expect("> ");
        terminal.send(ControlCode::EndOfTransmission);
        terminal.expect("2 records written");
        terminal.rest();
        assert_eq!(user.reads(&topic, &[]), "hello\nworld\n");
    }
}

on_both_clusters! {
    fn a_line_larger_than_ones_own_limit_names_the_limit(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "max.request.size=1000\n").unwrap();
        let lines = format!("fits\n{}\n", "x".repeat(1000));
        for more in [vec![], vec!["-H", "a:b"]] {
            let line = ["produce", &topic, "--command-config", file.path().to_str().unwrap()];
            let said = user.velo_with(&lines, &[&line[..], &more].concat()).fails_with(1);
            assert!(
                said.stderr.contains("line 2: The message is 10") && said.stderr.contains("larger than 1000, which is the value of the max.request.size"),
                "{}",
                said.stderr
            );
            assert!(said.stderr.contains("hint: raise or remove max.request.size"), "{}", said.stderr);
        }
        assert_eq!(user.reads(&topic, &[]), "fits\nfits\n");
    }
}
