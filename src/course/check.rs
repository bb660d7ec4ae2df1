//! Checks: what a step wants, beside what the cluster has.

use super::facts::{Fact, Have, Renames};
use super::look::Look;
use super::model::Wanted;
use crate::failure::Outcome;
use crate::i18n::Words;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Something that must be true of the cluster: a fact, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Check {
    /// Its name within the step.
    pub name: String,
    /// Which fact is read.
    pub fact: Fact,
    /// What it must be.
    pub claim: Claim,
    /// How many seconds a demonstration waits for it; 120 unless stated.
    pub within: Option<u64>,
    /// Time alone may bring it about, so that lint lets it pass before anything is done; another check of the step must not.
    pub by_itself: bool,
}

/// What a fact must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// This value.
    Is(Wanted),
    /// A number not smaller than this.
    AtLeast(i64),
    /// A number not larger than this.
    AtMost(i64),
}

/// The parts of a check that are not its fact.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Around {
    name: Option<String>,
    want: Option<Wanted>,
    at_least: Option<i64>,
    at_most: Option<i64>,
    within: Option<u64>,
    by_itself: bool,
}

/// Takes some parts out of a table, as what they mean; the rest is a fact's.
///
/// # Errors
/// When one means nothing there, in words.
pub(super) fn take_parts<T: DeserializeOwned>(table: &mut toml::Table, names: &[&str]) -> Result<T, String> {
    let mut parts = toml::Table::new();
    for name in names {
        if let Some((name, value)) = table.remove_entry(*name) {
            parts.insert(name, value);
        }
    }
    let parts: Result<T, toml::de::Error> = parts.try_into();
    parts.map_err(|error| error.message().to_owned())
}

impl TryFrom<toml::Table> for Check {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let around: Around = take_parts(
            &mut table,
            &["name", "want", "at-least", "at-most", "within", "by-itself"],
        )?;
        let name = around.name.ok_or("a check has no `name`")?;
        let wrong = |why: String| format!("check `{name}`: {why}");
        let claim = match (around.want, around.at_least, around.at_most) {
            (Some(want), None, None) => Claim::Is(want),
            (None, Some(least), None) => Claim::AtLeast(least),
            (None, None, Some(most)) => Claim::AtMost(most),
            _ => {
                return Err(wrong(
                    "it needs one of `want`, `at-least` and `at-most`".to_owned(),
                ));
            }
        };
        Ok(Check {
            fact: Fact::of(table).map_err(wrong)?,
            claim,
            within: around.within,
            by_itself: around.by_itself,
            name,
        })
    }
}

impl Check {
    /// One that is not written in a lesson: whether a broker serves clients.
    pub fn serves(broker: i32, is_so: bool) -> Self {
        Check {
            name: String::new(),
            fact: Fact::serves(broker),
            claim: Claim::Is(Wanted::Bool(is_so)),
            within: None,
            by_itself: false,
        }
    }

    /// One that a question stands for: what the cluster is expected to say.
    pub fn of_question(id: &str, fact: Fact, expected: Wanted) -> Self {
        Check {
            name: id.to_owned(),
            fact,
            claim: Claim::Is(expected),
            within: None,
            by_itself: false,
        }
    }

    /// The same about a learner's names and brokers.
    #[must_use]
    pub fn renamed(mut self, names: &dyn Renames) -> Self {
        self.fact = self.fact.renamed(names);
        self
    }

    /// Whether it wants something to be gone.
    pub fn wants_absence(&self) -> bool {
        self.claim == Claim::Is(Wanted::Bool(false))
    }
}

impl Claim {
    fn fits(&self, value: &Wanted) -> bool {
        match (self, value) {
            (Claim::Is(want), value) => want == value,
            (Claim::AtLeast(least), Wanted::Number(number)) => number >= least,
            (Claim::AtMost(most), Wanted::Number(number)) => number <= most,
            (Claim::AtLeast(_) | Claim::AtMost(_), Wanted::Bool(_) | Wanted::Text(_)) => false,
        }
    }
}

/// A check with what was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was asked.
    pub check: Check,
    /// What the cluster has; `None` when the thing is not there.
    pub have: Option<Have>,
    /// Whether that is what is wanted.
    pub passed: bool,
}

/// Reads the facts of all checks, in one look.
///
/// # Errors
/// When the cluster does not answer.
pub fn all(look: &Look<'_>, checks: &[Check]) -> Outcome<Vec<Finding>> {
    checks.iter().map(|check| one(look, check)).collect()
}

/// Reads the fact of one check.
///
/// # Errors
/// When the cluster does not answer.
pub fn one(look: &Look<'_>, check: &Check) -> Outcome<Finding> {
    let have = check.fact.read(look)?;
    let passed = have.as_ref().is_some_and(|have| check.claim.fits(&have.value));
    Ok(Finding {
        check: check.clone(),
        have,
        passed,
    })
}

/// Whether every one passed.
pub fn passed(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.passed)
}

impl Finding {
    /// One line: a mark, the fact in words, what is there, and what is wanted unless that says it already.
    pub fn line(&self, words: &Words) -> String {
        let key = match (self.passed, &self.check.claim) {
            (true, Claim::Is(Wanted::Bool(_))) => "check.true",
            (false, Claim::Is(Wanted::Bool(_))) => "check.not-true",
            (true, Claim::Is(_)) => "check.passed",
            (true, Claim::AtLeast(_) | Claim::AtMost(_)) => "check.passed-bound",
            (false, _) => "check.failed",
        };
        words.fill(
            key,
            &[
                ("fact", &self.fact(words)),
                ("want", &self.want(words)),
                ("have", &self.have(words)),
            ],
        )
    }

    /// The fact in words. One that shall not be has words of its own.
    fn fact(&self, words: &Words) -> String {
        let said = self.check.fact.said();
        let places = said.places.iter().map(|(place, value)| (*place, value.as_str()));
        let not = if self.check.wants_absence() { "-not" } else { "" };
        words.fill(&format!("fact.{}{not}", said.key), &places.collect::<Vec<_>>())
    }

    /// What is wanted, in words.
    fn want(&self, words: &Words) -> String {
        match &self.check.claim {
            Claim::Is(want) => value(words, want),
            Claim::AtLeast(least) => words.fill("check.at-least", &[("n", &least.to_string())]),
            Claim::AtMost(most) => words.fill("check.at-most", &[("n", &most.to_string())]),
        }
    }

    /// What is there, in words.
    fn have(&self, words: &Words) -> String {
        match &self.have {
            None => words.say("check.nothing").to_owned(),
            Some(have) => match have.counted {
                Some((reported, real)) => words.fill(
                    "check.counted",
                    &[
                        ("n", &value(words, &have.value)),
                        ("reported", &reported.to_string()),
                        ("real", &real.to_string()),
                    ],
                ),
                None => value(words, &have.value),
            },
        }
    }
}

fn value(words: &Words, wanted: &Wanted) -> String {
    match wanted {
        Wanted::Bool(true) => words.say("check.yes").to_owned(),
        Wanted::Bool(false) => words.say("check.no").to_owned(),
        Wanted::Number(number) => number.to_string(),
        Wanted::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_says_one_thing_about_one_fact() {
        let read = |text: &str| -> Result<Check, String> {
            let table: toml::Table = text.parse().unwrap();
            Check::try_from(table)
        };
        let fact = "name = \"n\"\nfact = \"written\"\ntopic = \"t\"\n";
        let check = read(&format!("{fact}at-least = 3")).unwrap();
        assert_eq!(check.claim, Claim::AtLeast(3));
        for (rest, told) in [
            ("", "one of `want`"),
            ("at-least = 3\nat-most = 4", "one of `want`"),
            ("want = 1\nwithin = 3\ncolour = 1", "unknown field `colour`"),
        ] {
            let said = read(&format!("{fact}{rest}")).unwrap_err();
            assert!(said.contains(told) && said.contains("`n`"), "{said}");
        }
    }
}
