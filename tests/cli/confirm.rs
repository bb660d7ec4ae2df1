//! Questions on a terminal.

use crate::support::records::User;
use crate::support::terminal::Terminal;
use crate::support::velo::Home;

on_both_clusters! {
    fn a_question_takes_a_yes_for_a_yes_and_nothing_else(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let asked = format!("Delete topic `{topic}` and all its records? [y/N]");
        let ask = || {
            let mut session = Terminal::on(user.process(&["topic", "delete", &topic]));
            session.expect(&asked);
            session
        };
        for no in ["", "n", "No", "non"] {
            let mut session = ask();
            session.send_line(no);
            session.expect("Nothing was deleted.");
            session.rest();
        }
        let mut session = ask();
        for neither in ["maybe", "yesterday", "velo topic list"] {
            session.send_line(neither);
            session.expect("Answer yes or no.");
            session.expect(&asked);
        }
        session.send_line("sí");
        session.expect("Deleted topic");
        session.rest();
    }

    fn ctrl_c_at_a_question_leaves_a_whole_line(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let asked = format!("Delete topic `{topic}` and all its records? [y/N]");
        // Each several times: the first keys may come before any are read, as a signal that the question does not see.
        for typed in ["\x03", "y\x03", "\x03", "ye\x03", "\x03"] {
            let mut session = Terminal::on(user.process(&["topic", "delete", &topic]));
            session.expect(&asked);
            session.send(typed);
            let left = session.rest();
            assert!(left.contains('\n'), "{typed:?}: {left:?}");
            assert!(!left.contains("eleted"), "{typed:?}: {left:?}");
        }
        user.velo(&["topic", "describe", &topic]).succeeds();
    }
}

#[test]
fn a_question_of_the_course_is_asked_and_answered_in_the_learner_s_language() {
    let home = Home::new();
    let start = |lang: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_velo"));
        command
            .args([
                "lesson",
                "start",
                "hello-kafka",
                "-b",
                "127.0.0.1:1",
                "--lang",
                lang,
            ])
            .env("VELO_HOME", home.path());
        Terminal::on(command)
    };
    for (lang, choices, explained) in [
        ("fr", "[O/n]", "Répondez oui ou non."),
        ("es", "[S/n]", "Responde sí o no."),
        ("en", "[Y/n]", "Answer yes or no."),
    ] {
        // Nobody can start a cluster on port 1, so this host is not asked about.
        let mut session = start(lang);
        session.expect(choices);
        session.send_line("quoi");
        session.expect(explained);
        session.send_line("no");
        session.rest();
    }
}
