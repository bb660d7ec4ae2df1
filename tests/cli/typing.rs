//! `velo produce` at its prompt.

use crate::support::records::User;
use crate::support::terminal::Terminal;
use expectrl::ControlCode;

/// `velo produce` on a terminal, at its first prompt.
fn typing(user: &User<'_>, topic: &str, options: &[&str]) -> Terminal {
    let mut terminal = Terminal::on(user.process(&[&["produce", topic], options].concat()));
    terminal.expect("Ctrl-D");
    terminal.expect("> ");
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
            terminal.send_line(&line);
            terminal.expect("\n");
            terminal.expect("> ");
        }
        terminal.send(ControlCode::EndOfTransmission);
        terminal.expect("3 records written");
        terminal.rest();
        assert_eq!(user.reads(&topic, &[]), "hello\nhello\na\tb\n");
    }

    fn ctrl_c_at_the_prompt_ends_with_what_was_written_and_the_terminal_as_it_was(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let mut terminal = typing(&user, &topic, &[]);
        terminal.send_line("one");
        terminal.expect("\n");
        terminal.expect("> ");
        terminal.send("half a li\x03");
        terminal.expect("\n");
        terminal.expect("1 record written");
        terminal.rest();
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
        let mut terminal = Terminal::on(process);
        terminal.expect("> ");
        terminal.send_line("one");
        terminal.expect("\n");
        terminal.expect("> ");
        terminal.send(ControlCode::EndOfTransmission);
        terminal.rest();
        let written = std::fs::read_to_string(&file).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&written).unwrap_or_else(|_| panic!("{written:?}"));
        assert_eq!(summary["records"], 1);
    }
}
