//! The Python that runs a lesson's programs, where this machine has one.

use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names the interpreter to take.
const VARIABLE: &str = "VELO_PYTHON";

/// An interpreter that has kafka-python: the one that `VELO_PYTHON` names, else the first on the path.
///
/// # Errors
/// When there is none.
pub fn find(words: &Words) -> Outcome<PathBuf> {
    let candidates: Vec<PathBuf> = match env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        Some(named) => vec![named.into()],
        None => ["python3", "python"].map(PathBuf::from).into(),
    };
    candidates.into_iter().find(has_kafka).ok_or_else(|| {
        Failure::request(words.say("error.no-python"))
            .because(words.say("error.no-python-why"))
            .hint("python3 -m venv venv && venv/bin/pip install kafka-python && export VELO_PYTHON=$PWD/venv/bin/python")
    })
}

fn has_kafka(interpreter: &PathBuf) -> bool {
    Command::new(interpreter)
        .args(["-c", "import kafka"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
