//! How a command fails: what failed, why, what to type next, and the exit code.

use crate::i18n::Lang;
use crate::process::INTERRUPTED;
use std::fmt;

/// What kind of failure it is; decides the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The cluster or the file system refused the request. Exit code 1.
    Request,
    /// The command line was wrong. Exit code 2, as clap's own.
    Usage,
    /// The cluster does not let this user in, or this side does not trust the cluster. Exit code 1.
    Denied,
    /// No broker answered. Exit code 3.
    Unreachable,
    /// The user pressed Ctrl-C or ended it otherwise. Exit code 130, as shells expect, or that of the signal.
    Interrupted,
}

impl Kind {
    /// The exit code of a process that ends with this kind of failure.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Request | Kind::Denied => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 3,
            Kind::Interrupted => INTERRUPTED,
        }
    }
}

/// A failed command, as the user sees it. Never holds Rust's `Debug` text or a bare librdkafka code.
///
/// Printed as up to three parts on stderr:
/// ```text
/// error: topic `velib` does not exist
///   why: no topic of that name on localhost:9092
/// hint: velo topic list
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    kind: Kind,
    what: String,
    why: Option<String>,
    hints: Vec<String>,
    lang: Lang,
}

impl Failure {
    /// A failure of the given kind; `what` is one sentence without a full stop.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Failure {
            kind,
            what: what.into(),
            why: None,
            hints: Vec::new(),
            lang: Lang::En,
        }
    }

    /// The request was refused.
    pub fn request(what: impl Into<String>) -> Self {
        Self::new(Kind::Request, what)
    }

    /// The command line was wrong.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }

    /// No broker answered.
    pub fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Kind::Unreachable, what)
    }

    /// The user interrupted; prints nothing.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, why: impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// Adds a hint: a command to type, or a sentence that holds one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Announces its parts in the learner's language.
    #[must_use]
    pub fn told_in(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// The kind, which decides the exit code.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What failed, without the cause.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to type next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The cause, if it is known.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// What failed and the cause, in one line.
    pub fn in_a_line(&self) -> String {
        match &self.why {
            Some(why) => format!("{}: {why}", self.what),
            None => self.what.clone(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.lang.labels();
        write!(f, "{}{}", labels.what, self.what)?;
        if let Some(why) = &self.why {
            write!(f, "\n{}{why}", labels.why)?;
        }
        for hint in &self.hints {
            write!(f, "\n{}{hint}", labels.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// The result of a command.
pub type Outcome<T = ()> = Result<T, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_why_and_every_hint_on_its_own_line() {
        let failure = Failure::unreachable("no broker answers on localhost:9092")
            .because("connection refused")
            .hint("velo cluster start")
            .hint("velo doctor");
        assert_eq!(
            failure.to_string(),
            "error: no broker answers on localhost:9092\n  why: connection refused\n\
             hint: velo cluster start\nhint: velo doctor"
        );
        assert_eq!(failure.kind().exit_code(), 3);
        assert_eq!(
            failure.told_in(Lang::Es).to_string(),
            "error: no broker answers on localhost:9092\n  causa: connection refused\n\
             pista: velo cluster start\npista: velo doctor"
        );
    }
}
