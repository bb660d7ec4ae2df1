//! What was on the cluster before the lesson began, so that the lesson only ever removes what it made.

use super::dress::Dress;
use super::fact::ClusterFacts;
use super::model::Lesson;
use crate::failure::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The names that were taken before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Topics.
    #[serde(default)]
    pub topics: BTreeSet<String>,
    /// Groups.
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

impl Snapshot {
    /// The cluster as it is now.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn take(facts: &dyn ClusterFacts) -> Outcome<Self> {
        Ok(Snapshot {
            topics: facts.topics()?.into_keys().collect(),
            groups: facts.groups()?,
        })
    }

    /// The lesson's topics that somebody else had made before it began.
    pub fn foreign_topics(&self, lesson: &Lesson, dress: &Dress) -> Vec<String> {
        names(&lesson.topics, dress)
            .filter(|name| self.topics.contains(name))
            .collect()
    }

    /// Removes the topics and groups that the lesson made, and says which they were. A refusal is tried again for as long
    /// as `patience` says: a member that has just left its group may still be counted.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn remove_made(
        &self,
        facts: &dyn ClusterFacts,
        lesson: &Lesson,
        dress: &Dress,
        patience: Duration,
    ) -> Outcome<Vec<String>> {
        let deadline = Instant::now() + patience;
        let now = Snapshot::take(facts)?;
        let topics: Vec<String> = names(&lesson.topics, dress)
            .filter(|name| now.topics.contains(name) && !self.topics.contains(name))
            .collect();
        let groups: Vec<String> = names(&lesson.groups, dress)
            .filter(|name| now.groups.contains(name) && !self.groups.contains(name))
            .collect();
        while let Err(failure) = facts.remove(&topics, &groups) {
            if Instant::now() > deadline {
                return Err(failure);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(topics.into_iter().chain(groups).collect())
    }
}

fn names<'a>(names: &'a [String], dress: &'a Dress) -> impl Iterator<Item = String> + 'a {
    names.iter().map(|name| dress.name(name))
}
