//! Checks: what a step wants, beside what the cluster has.

use super::fact::{self, ClusterFacts, Have};
use super::model::{Check, FactName, Wanted};
use crate::failure::Outcome;
use crate::i18n::Words;

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

/// Reads the facts of all checks.
///
/// # Errors
/// When the cluster does not answer.
pub fn all(facts: &dyn ClusterFacts, checks: &[Check]) -> Outcome<Vec<Finding>> {
    checks.iter().map(|check| one(facts, check)).collect()
}

/// Reads the fact of one check.
///
/// # Errors
/// When the cluster does not answer.
pub fn one(facts: &dyn ClusterFacts, check: &Check) -> Outcome<Finding> {
    let have = fact::read(facts, check)?;
    let passed = have.as_ref().is_some_and(|have| fits(check, &have.value));
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

fn fits(check: &Check, value: &Wanted) -> bool {
    let exact = check.want.as_ref().is_none_or(|want| want == value);
    let within = match value {
        Wanted::Number(number) => {
            check.at_least.is_none_or(|least| *number >= least)
                && check.at_most.is_none_or(|most| *number <= most)
        }
        Wanted::Bool(_) | Wanted::Text(_) => check.at_least.is_none() && check.at_most.is_none(),
    };
    exact && within
}

impl Finding {
    /// One line: a mark, the fact in words, what is there, and what is wanted unless that says it already.
    pub fn line(&self, words: &Words) -> String {
        let is_so = matches!(self.check.want, Some(Wanted::Bool(_)));
        let key = match (self.passed, is_so) {
            (true, true) => "check.true",
            (false, true) => "check.not-true",
            (true, false) if self.check.want.is_some() => "check.passed",
            (true, false) => "check.passed-bound",
            (false, false) => "check.failed",
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

    /// The fact in words.
    fn fact(&self, words: &Words) -> String {
        let check = &self.check;
        words.fill(
            fact_key(check),
            &[
                ("topic", check.topic.as_deref().unwrap_or_default()),
                ("group", check.group.as_deref().unwrap_or_default()),
                ("config", check.config.as_deref().unwrap_or_default()),
            ],
        )
    }

    /// What is wanted, in words.
    fn want(&self, words: &Words) -> String {
        let check = &self.check;
        match (&check.want, check.at_least, check.at_most) {
            (Some(want), _, _) => value(words, want),
            (None, Some(least), _) => words.fill("check.at-least", &[("n", &least.to_string())]),
            (None, None, Some(most)) => words.fill("check.at-most", &[("n", &most.to_string())]),
            (None, None, None) => String::new(),
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

/// Where the words for a fact stand in `lessons/ui/*.toml`.
fn fact_key(check: &Check) -> &'static str {
    match check.fact {
        FactName::TopicExists if check.want == Some(Wanted::Bool(false)) => "fact.topic-gone",
        FactName::TopicExists => "fact.topic-exists",
        FactName::Partitions => "fact.partitions",
        FactName::TopicConfig => "fact.topic-config",
        FactName::Written => "fact.written",
        FactName::Kept => "fact.kept",
        FactName::Gone => "fact.gone",
        FactName::PartitionsUsed => "fact.partitions-used",
        FactName::Things => "fact.things",
        FactName::Members => "fact.members",
        FactName::TakenOver => "fact.taken-over",
        FactName::SmallestShare => "fact.smallest-share",
        FactName::Committed => "fact.committed",
        FactName::ReadByAGroup => "fact.read-by-a-group",
        FactName::Unkeyed => "fact.unkeyed",
        FactName::Scattered => "fact.scattered",
        FactName::Changes => "fact.changes",
        FactName::OverCount => "fact.over-count",
    }
}
