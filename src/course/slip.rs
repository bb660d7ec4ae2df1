//! Near misses: what a learner has done that is almost what the step asks for, and what to type now.

use super::check::{Claim, Finding};
use super::dress::Dress;
use super::facts::ClusterView;
use super::look::Look;
use super::model::{Lesson, Wanted};
use super::snapshot::Snapshot;
use crate::failure::Outcome;
use crate::i18n::Words;
use std::collections::BTreeSet;

/// What the lessons write where the learner's own name belongs.
const PLACEHOLDER: &str = "NAME";

/// A name as long as this may have two letters wrong and still be meant.
const LONG_NAME: usize = 8;

/// A near miss, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// What is wrong.
    pub text: String,
    /// What to type now, one command a line.
    pub commands: Vec<String>,
}

/// Where slips are looked for.
pub struct Scene<'a> {
    /// The lesson.
    pub lesson: &'a Lesson,
    /// The cluster at this moment.
    pub look: &'a Look<'a>,
    /// This learner's names.
    pub dress: &'a Dress,
    /// What was there before the lesson: none of the learner's doing.
    pub before: &'a Snapshot,
    /// What the step's checks found when it began.
    pub first: &'a [Finding],
    /// The learner's language.
    pub words: &'a Words,
    /// Whether others take the lesson on this cluster at the same time: what lacks the learner's prefix may be theirs.
    pub in_class: bool,
}

impl Scene<'_> {
    /// The near misses behind the checks that fail.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn slips(&self, findings: &[Finding]) -> Outcome<Vec<Slip>> {
        let failed: Vec<&Finding> = findings.iter().filter(|finding| !finding.passed).collect();
        if failed.is_empty() {
            return Ok(Vec::new());
        }
        let cluster = self.look.cluster()?;
        let mut slips = Vec::new();
        for finding in failed {
            let found = self
                .wrong_topic(finding, &cluster)
                .or_else(|| self.wrong_count(finding))
                .or_else(|| self.wrong_setting(finding));
            let found = match found {
                None => self.wrong_group(finding)?,
                found => found,
            };
            slips.extend(found.filter(|slip| !slips.contains(slip)));
        }
        Ok(slips)
    }

    /// A topic that was made under another name than the one that is missing.
    fn wrong_topic(&self, finding: &Finding, cluster: &ClusterView) -> Option<Slip> {
        let wanted = finding.check.fact.topic()?;
        if cluster.topics.contains_key(wanted) || finding.check.wants_absence() {
            return None;
        }
        let (name, key) = self.nearest(wanted, cluster.topics.keys(), &self.before.topics)?;
        Some(Slip {
            text: self.say(&format!("slip.topic-{key}"), name, wanted),
            commands: vec![format!("velo topic delete {name} --yes"), self.creation(wanted)],
        })
    }

    /// A group that reads under another name than the one that is missing.
    fn wrong_group(&self, finding: &Finding) -> Outcome<Option<Slip>> {
        let Some(wanted) = finding
            .check
            .fact
            .group()
            .filter(|_| !finding.check.wants_absence())
        else {
            return Ok(None);
        };
        let groups = self.look.groups()?;
        if groups.contains(wanted) {
            return Ok(None);
        }
        let nearest = self.nearest(wanted, groups.iter(), &self.before.groups);
        Ok(nearest.map(|(name, key)| Slip {
            text: self.say(&format!("slip.group-{key}"), name, wanted),
            commands: vec![format!("--group {wanted}")],
        }))
    }

    /// A topic with another number of partitions.
    fn wrong_count(&self, finding: &Finding) -> Option<Slip> {
        let check = &finding.check;
        let (Claim::Is(Wanted::Number(want)), Some(Wanted::Number(have))) = (&check.claim, value(finding))
        else {
            return None;
        };
        let topic = check.fact.topic().filter(|_| check.fact.counts_partitions())?;
        // Fewer than wanted is where a step that asks for more begins.
        if have < want && !self.has_changed(finding) {
            return None;
        }
        let said = [
            ("topic", topic),
            ("have", &have.to_string()),
            ("want", &want.to_string()),
        ];
        let commands = if have < want {
            vec![format!("velo topic alter {topic} --partitions {want}")]
        } else {
            vec![
                format!("velo topic delete {topic} --yes"),
                format!("velo topic create {topic} --partitions {want}"),
            ]
        };
        let key = if have < want {
            "slip.too-few"
        } else {
            "slip.too-many"
        };
        Some(Slip {
            text: self.words.fill(key, &said),
            commands,
        })
    }

    /// A setting that was given another value since the step began.
    fn wrong_setting(&self, finding: &Finding) -> Option<Slip> {
        let check = &finding.check;
        let (topic, config) = (check.fact.topic()?, check.fact.topic_config()?);
        let (Claim::Is(Wanted::Number(want)), Some(Wanted::Number(have))) = (&check.claim, value(finding))
        else {
            return None;
        };
        if !self.has_changed(finding) {
            return None;
        }
        let key = if have.checked_mul(1_000) == Some(*want) {
            "slip.milliseconds"
        } else {
            "slip.setting"
        };
        let said = [
            ("config", config),
            ("have", &have.to_string()),
            ("want", &want.to_string()),
        ];
        Some(Slip {
            text: self.words.fill(key, &said),
            commands: vec![format!("velo config set topic {topic} {config}={want}")],
        })
    }

    /// Whether a check finds something else than when the step began.
    fn has_changed(&self, finding: &Finding) -> bool {
        let first = self
            .first
            .iter()
            .find(|first| first.check.name == finding.check.name);
        first.is_some_and(|first| value(first) != value(finding))
    }

    /// The name that was meant to be `wanted`, and how it misses it.
    fn nearest<'n>(
        &self,
        wanted: &str,
        names: impl Iterator<Item = &'n String>,
        before: &BTreeSet<String>,
    ) -> Option<(&'n str, &'static str)> {
        let ours: Vec<String> = self
            .lesson
            .topics
            .iter()
            .chain(&self.lesson.groups)
            .map(|name| self.dress.name(name))
            .collect();
        names
            .filter(|name| !before.contains(*name) && !ours.contains(name))
            .filter(|name| !self.in_class || name.starts_with(self.dress.prefix()))
            .find_map(|name| miss(name, wanted, self.dress.prefix()).map(|key| (name.as_str(), key)))
    }

    /// The lesson's own command that makes a topic.
    fn creation(&self, topic: &str) -> String {
        let acts = self.lesson.steps.iter().flat_map(|step| &step.acts);
        let begins = format!("velo topic create {topic} ");
        acts.filter_map(|act| act.velo.as_deref())
            .map(|command| self.dress.text(command))
            .find(|command| command.starts_with(&begins))
            .unwrap_or_else(|| begins.trim_end().to_owned())
    }

    fn say(&self, key: &str, name: &str, wanted: &str) -> String {
        self.words.fill(key, &[("name", name), ("wanted", wanted)])
    }
}

fn value(finding: &Finding) -> Option<&Wanted> {
    finding.have.as_ref().map(|have| &have.value)
}

/// How a name misses the one that is wanted: it is the placeholder, lacks the prefix, or is misspelt.
fn miss(name: &str, wanted: &str, prefix: &str) -> Option<&'static str> {
    if name == PLACEHOLDER || name.strip_prefix(prefix) == Some(PLACEHOLDER) {
        return Some("placeholder");
    }
    if !prefix.is_empty() && wanted.strip_prefix(prefix) == Some(name) {
        return Some("prefix");
    }
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let allowed = if wanted.len() < LONG_NAME { 1 } else { 2 };
    let close = plain(name) == plain(wanted) || strsim::osa_distance(name, wanted) <= allowed;
    // Eva's topic is not Ana's misspelt.
    let own = name.starts_with(prefix);
    (own && close && name != wanted).then_some("misspelt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_misses_in_one_of_three_ways_or_is_another_thing_altogether() {
        for (name, prefix, missed) in [
            ("NAME", "", Some("placeholder")),
            ("alice-NAME", "alice-", Some("placeholder")),
            ("iabd-topic", "alice-", Some("prefix")),
            ("iabd_topic", "", Some("misspelt")),
            ("IABD-Topic", "", Some("misspelt")),
            ("iabd-topik", "", Some("misspelt")),
            ("iabd-topic-p3", "", None),
            ("orders", "", None),
            ("alice-iabd-topik", "alice-", Some("misspelt")),
            ("alina-iabd-topic", "alice-", None),
        ] {
            let wanted = format!("{prefix}iabd-topic");
            assert_eq!(miss(name, &wanted, prefix), missed, "{name}");
        }
    }
}
