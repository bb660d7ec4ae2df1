//! A finding of `velo why`: what is seen, with its numbers, why, and what to type next.

use crate::course::beliefs::Belief;
use crate::course::load::Source;
use crate::course::render::Page;
use crate::failure::Outcome;
use crate::i18n::Words;
use crate::ui::{OutputFormat, Ui};
use serde_json::{Map, Value, json};

/// The names of all findings, each a key of `why` in the program's words.
pub const FINDINGS: [&str; 35] = [
    "advertised-unreachable",
    "all-committed",
    "all-deleted",
    "all-expired",
    "behind",
    "below-min-isr",
    "compact-only",
    "controllers-port",
    "deleted-unread",
    "denied",
    "empty-topic",
    "expired-and-kept",
    "fewer-than-offsets",
    "idle-members",
    "keys-together",
    "leaderless",
    "login-wanted",
    "marker-at-the-end",
    "no-members",
    "not-compacted-yet",
    "nothing-committed",
    "nothing-listens",
    "one-key",
    "plain-against-tls",
    "rebalancing",
    "started-at-the-end",
    "sticky-batches",
    "stranger",
    "the-word-null",
    "tls-against-plain",
    "unknown-partition",
    "unread-partition",
    "under-replicated",
    "unsettled",
    "zookeepers-port",
];

/// Something that explains what a user wonders about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    id: &'static str,
    places: Vec<(&'static str, String)>,
    next: Vec<String>,
}

impl Finding {
    /// One of [`FINDINGS`].
    pub(super) fn new(id: &'static str) -> Self {
        Finding {
            id,
            places: Vec::new(),
            next: Vec::new(),
        }
    }

    /// The same with something that was seen, by the name of its place in the words.
    #[must_use]
    pub(super) fn seen(mut self, place: &'static str, value: impl ToString) -> Self {
        self.places.push((place, value.to_string()));
        self
    }

    /// The same with a line to type next.
    #[must_use]
    pub(super) fn next(mut self, line: impl Into<String>) -> Self {
        self.next.push(line.into());
        self
    }

    /// Its name.
    #[cfg(test)]
    pub(super) fn id(&self) -> &'static str {
        self.id
    }

    fn text(&self, words: &Words) -> String {
        let places: Vec<(&str, &str)> = self
            .places
            .iter()
            .map(|(place, value)| (*place, value.as_str()))
            .collect();
        words.fill(&format!("why.{}", self.id), &places)
    }
}

/// All that was found about one thing.
pub(super) struct Report {
    about: &'static str,
    name: String,
    findings: Vec<Finding>,
    beliefs: Vec<Belief>,
}

impl Report {
    /// About a group, a topic or a connection of this name.
    ///
    /// # Errors
    /// When the table of beliefs cannot be read.
    pub(super) fn new(about: &'static str, name: &str, findings: Vec<Finding>) -> Outcome<Self> {
        Ok(Report {
            about,
            name: name.to_owned(),
            findings,
            beliefs: Source::Embedded.beliefs()?,
        })
    }

    /// Prints it: sentences and lines to type, or one JSON value, or a line for each finding.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(super) fn print(&self, ui: Ui, words: &Words) -> Outcome {
        match ui.format {
            OutputFormat::Json | OutputFormat::Jsonl => ui.json(&self.json(words)),
            OutputFormat::Plain => self.findings.iter().try_for_each(|finding| {
                let next = finding.next.join("; ");
                ui.line(format!("{}\t{}\t{next}", finding.id, finding.text(words)))
            }),
            OutputFormat::Table => self.tell(ui, words),
        }
    }

    fn tell(&self, ui: Ui, words: &Words) -> Outcome {
        let page = Page::of_stdout();
        if self.findings.is_empty() {
            let said = words.fill(&format!("why.nothing-{}", self.about), &[("name", &self.name)]);
            return ui.styled(page.markdown(&said));
        }
        for (number, finding) in self.findings.iter().enumerate() {
            if number > 0 {
                ui.styled("")?;
            }
            ui.styled(page.markdown(&finding.text(words)))?;
            for line in &finding.next {
                ui.styled(page.typed("    ", line))?;
            }
            if let Some(belief) = self.belief(finding) {
                ui.styled(page.faint(&page.markdown(belief.sentence(words.lang()))))?;
            }
        }
        Ok(())
    }

    /// What is commonly believed where this is found.
    fn belief(&self, finding: &Finding) -> Option<&Belief> {
        let shows = |belief: &&Belief| belief.findings.iter().any(|id| id == finding.id);
        self.beliefs.iter().find(shows)
    }

    fn json(&self, words: &Words) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "finding": finding.id,
                    "text": finding.text(words),
                    "seen": finding.places.iter().map(seen).collect::<Map<_, _>>(),
                    "next": finding.next,
                    "belief": self.belief(finding).map(|belief| &belief.id),
                })
            })
            .collect();
        json!({ "about": self.about, "name": self.name, "findings": findings })
    }
}

/// A place with its value, a number where it is one.
fn seen((place, value): &(&'static str, String)) -> (String, Value) {
    let value = value
        .parse::<i64>()
        .map_or_else(|_| json!(value), |number| json!(number));
    ((*place).to_owned(), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use std::collections::BTreeSet;

    #[test]
    fn every_finding_has_its_words_and_every_belief_its_finding() {
        let names: BTreeSet<&str> = FINDINGS.into();
        assert_eq!(names.len(), FINDINGS.len());
        let words = Words::of(Lang::En);
        let told: BTreeSet<&str> = words
            .keys()
            .filter_map(|key| key.strip_prefix("why."))
            .filter(|key| !key.starts_with("nothing-") || names.contains(key))
            .collect();
        assert_eq!(told, names);
        for belief in Source::Embedded.beliefs().unwrap() {
            for finding in &belief.findings {
                assert!(names.contains(finding.as_str()), "{}: {finding}", belief.id);
            }
        }
    }

    #[test]
    fn numbers_are_numbers_in_json_and_the_belief_is_named() {
        let finding = Finding::new("idle-members")
            .seen("members", 4)
            .seen("group", "iabd-app1")
            .next("velo group members iabd-app1");
        let report = Report::new("group", "iabd-app1", vec![finding]).unwrap();
        let json = report.json(&Words::of(Lang::En));
        let found = &json["findings"][0];
        assert_eq!(found["seen"]["members"], 4);
        assert_eq!(found["seen"]["group"], "iabd-app1");
        assert_eq!(found["belief"], "more-consumers-are-faster");
        assert_eq!(found["next"][0], "velo group members iabd-app1");
    }
}
