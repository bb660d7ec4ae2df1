//! `velo produce` at its prompt.

use crate::support::records::User;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};
use std::time::Duration;

/// `velo produce` on a terminal, at its first prompt.
fn typing(user: &User<'_>, topic: &str, options: &[&str]) -> OsSession {
    let mut terminal = Session::spawn(user.process(&[&["produce", topic], options].concat())).unwrap();
    terminal.set_expect_timeout(Some(Duration::from_secs(60)));
    terminal.expect("Ctrl-D").unwrap();
    terminal.expect("> ").unwrap();
    terminal
}

on_both_clusters! {
    fn arrow_keys_mend_a_line_and_bring_the_ones_before_back(cluster) {
        const UP: &str = "\x1b[A";
        const LEFT: &str = "\x1b[D";
        let user = User::at(cluster);
        let topic = user.topic(1);
        let mut terminal = typing(&user, &topic, &[]);
        // A letter forgotten in the middle, the line before once more, and a tab that is one.
        for line in [format!("helo{LEFT}l"), UP.to_owned(), "a\tb".to_owned()] {
            terminal.send_line(&line).unwrap();
            terminal.expect("\n").unwrap();
            terminal.expect("> ").unwrap();
        }
        terminal.send(ControlCode::EndOfTransmission).unwrap();
        terminal.expect("3 records written").unwrap();
        terminal.expect(Eof).unwrap();
        assert_eq!(user.reads(&topic, &[]), "hello\nhello\na\tb\n");
    }

    fn ctrl_c_at_the_prompt_ends_with_what_was_written_and_the_terminal_as_it_was(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let mut terminal = typing(&user, &topic, &[]);
        terminal.send_line("one").unwrap();
        terminal.expect("\n").unwrap();
        terminal.expect("> ").unwrap();
        terminal.send("half a li\x03").unwrap();
        terminal.expect("\n").unwrap();
        terminal.expect("1 record written").unwrap();
        terminal.expect(Eof).unwrap();
        assert_eq!(user.reads(&topic, &[]), "one\n");
    }

    fn what_is_typed_is_not_in_the_output(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.json");
        let mut process = user.process(&["produce", &topic, "-o", "json"]);
        let shell = format!(
            "'{}' produce {topic} -o json > '{}'",
            process.get_program().to_str().unwrap(),
            file.display()
        );
        process = {
            let mut shelled = std::process::Command::new("sh");
            shelled.args(["-c", &shell]);
            for (name, value) in process.get_envs() {
                shelled.env(name, value.unwrap_or_default());
            }
            shelled
        };
        let mut terminal = Session::spawn(process).unwrap();
        terminal.set_expect_timeout(Some(Duration::from_secs(60)));
        terminal.expect("> ").unwrap();
        terminal.send_line("one").unwrap();
        terminal.expect("\n").unwrap();
        terminal.expect("> ").unwrap();
        terminal.send(ControlCode::EndOfTransmission).unwrap();
        terminal.expect(Eof).unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&written).unwrap_or_else(|_| panic!("{written:?}"));
        assert_eq!(summary["records"], 1);
    }
}
