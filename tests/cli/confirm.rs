//! Questions on a terminal.

use crate::support::records::User;
use expectrl::{Eof, Expect, Session};

on_both_clusters! {
    fn a_question_is_answered_and_ctrl_c_leaves_the_terminal_as_it_was(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let asked = format!("Delete topic `{topic}` and all its records?");
        // Before keys are read, as a signal that the question does not see.
        for _ in 0..5 {
            let mut session = Session::spawn(user.process(&["topic", "delete", &topic])).unwrap();
            session.expect(&asked).unwrap();
            session.send("\x03").unwrap();
            session.expect("\x1b[?25h").unwrap();
            session.expect(Eof).unwrap();
        }
        for (key, said) in [("\x03", "\x1b[?25h"), ("n", "Nothing was deleted."), ("y", "Deleted topic")] {
            let mut session = Session::spawn(user.process(&["topic", "delete", &topic])).unwrap();
            session.expect(&asked).unwrap();
            session.expect("\x1b[?25l").unwrap();
            session.send(key).unwrap();
            session.expect(said).unwrap_or_else(|error| panic!("{key:?}: {error}"));
            session.expect(Eof).unwrap();
        }
    }
}
