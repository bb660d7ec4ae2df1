//! Questions on a terminal.

use crate::support::records::User;
use crate::support::velo::Home;
use expectrl::session::OsSession;
use expectrl::{Eof, Expect, Session};
use std::time::Duration;

fn spawn(command: std::process::Command) -> OsSession {
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(60)));
    session
}

/// What is left until the program ends.
fn rest(session: &mut OsSession) -> String {
    let rest = session.expect(Eof).unwrap();
    String::from_utf8_lossy(rest.as_bytes()).into_owned()
}

on_both_clusters! {
    fn a_question_takes_a_yes_for_a_yes_and_nothing_else(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let asked = format!("Delete topic `{topic}` and all its records? [y/N]");
        let ask = || {
            let mut session = spawn(user.process(&["topic", "delete", &topic]));
            session.expect(&asked).unwrap();
            session
        };
        for no in ["", "n", "No", "non"] {
            let mut session = ask();
            session.send_line(no).unwrap();
            session.expect("Nothing was deleted.").unwrap_or_else(|error| panic!("{no:?}: {error}"));
            session.expect(Eof).unwrap();
        }
        let mut session = ask();
        for neither in ["maybe", "yesterday", "velo topic list"] {
            session.send_line(neither).unwrap();
            session.expect("Answer yes or no.").unwrap_or_else(|error| panic!("{neither:?}: {error}"));
            session.expect(&asked).unwrap();
        }
        session.send_line("sí").unwrap();
        session.expect("Deleted topic").unwrap();
        session.expect(Eof).unwrap();
    }

    fn ctrl_c_at_a_question_leaves_a_whole_line(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let asked = format!("Delete topic `{topic}` and all its records? [y/N]");
        // Each several times: the first keys may come before any are read, as a signal that the question does not see.
        for typed in ["\x03", "y\x03", "\x03", "ye\x03", "\x03"] {
            let mut session = spawn(user.process(&["topic", "delete", &topic]));
            session.expect(&asked).unwrap();
            session.send(typed).unwrap();
            let left = rest(&mut session);
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
        spawn(command)
    };
    for (lang, choices, explained) in [
        ("fr", "[O/n]", "Répondez oui ou non."),
        ("es", "[S/n]", "Responde sí o no."),
        ("en", "[Y/n]", "Answer yes or no."),
    ] {
        // Nobody can start a cluster on port 1, so this host is not asked about.
        let mut session = start(lang);
        session
            .expect(choices)
            .unwrap_or_else(|error| panic!("{lang}: {error}"));
        session.send_line("quoi").unwrap();
        session
            .expect(explained)
            .unwrap_or_else(|error| panic!("{lang}: {error}"));
        session.send_line("no").unwrap();
        session.expect(Eof).unwrap();
    }
}
