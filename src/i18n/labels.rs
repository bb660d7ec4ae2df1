//! What a failure's parts are announced by, in each language.

use super::Lang;

/// The words before each part of a failure, with the blank that follows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    /// Before what failed.
    pub what: &'static str,
    /// Before the cause, set in under what failed.
    pub why: &'static str,
    /// Before what to type next.
    pub hint: &'static str,
}

const FR: Labels = Labels {
    what: "erreur\u{a0}: ",
    why: "  cause\u{a0}: ",
    hint: "piste\u{a0}: ",
};
const ES: Labels = Labels {
    what: "error: ",
    why: "  causa: ",
    hint: "pista: ",
};
const EN: Labels = Labels {
    what: "error: ",
    why: "  why: ",
    hint: "hint: ",
};

impl Lang {
    /// The labels of this language.
    pub fn labels(self) -> Labels {
        match self {
            Lang::Fr => FR,
            Lang::Es => ES,
            Lang::En => EN,
        }
    }
}

impl Labels {
    /// The label in whichever language that a line begins with, and what follows it.
    pub fn split(line: &str, which: fn(Labels) -> &'static str) -> Option<(&'static str, &str)> {
        Lang::ALL.into_iter().find_map(|lang| {
            let label = which(lang.labels());
            Some((label, line.strip_prefix(label)?))
        })
    }
}
