//! What was on the cluster before the lesson began, so that the lesson only ever removes what it made.

use super::dress::Dress;
use super::facts::ClusterFacts;
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
            topics: facts.cluster()?.topics.into_keys().collect(),
            groups: facts.groups()?,
        })
    }

    /// The lesson's topics that somebody else had made before it began.
    pub fn foreign_topics(&self, lesson: &Lesson, dress: &Dress) -> Vec<String> {
        names(&lesson.topics, dress)
            .filter(|name| self.topics.contains(name))
            .collect()
    }

    /// Removes the groups and topics that the lesson made, and says which they were. A group whose programs have just ended,
    /// or were killed, may still count them: that is waited for as `patience` says. When it is in use even then, nothing is
    /// removed.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn remove_made(
        &self,
        facts: &dyn ClusterFacts,
        lesson: &Lesson,
        dress: &Dress,
        patience: &mut Patience<'_>,
    ) -> Outcome<Removal> {
        let now = Snapshot::take(facts)?;
        let topics: Vec<String> = names(&lesson.topics, dress)
            .filter(|name| now.topics.contains(name) && !self.topics.contains(name))
            .collect();
        let groups: Vec<String> = names(&lesson.groups, dress)
            .filter(|name| now.groups.contains(name) && !self.groups.contains(name))
            .collect();
        // Groups first: once nobody is in them, no program of theirs makes a deleted topic again.
        let in_use = patience.until_free(|| facts.remove_groups(&groups))?;
        if !in_use.is_empty() {
            return Ok(Removal::InUse(in_use));
        }
        facts.remove_topics(&topics)?;
        Ok(Removal::Done(topics.into_iter().chain(groups).collect()))
    }
}

/// How a removal came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// These are gone.
    Done(Vec<String>),
    /// These groups still have members, after all the patience there was.
    InUse(Vec<String>),
}

/// How long groups may still count members that have ended, and who is told that they are waited for.
pub struct Patience<'a> {
    /// How long at most.
    pub bound: Duration,
    /// Is told once, with the groups that are still in use, when they are waited for.
    pub say: &'a mut dyn FnMut(&[String], Duration),
}

impl Patience<'_> {
    /// The longest session that clients have unless they say otherwise, and some more: by then the cluster has given up on
    /// a program that was killed.
    pub const SESSION: Duration = Duration::from_secs(50);

    /// How soon a member that left in order is gone, which needs no word.
    const SILENCE: Duration = Duration::from_secs(1);

    /// How often to try.
    const AGAIN: Duration = Duration::from_millis(100);

    /// Tries `remove` until it leaves nothing in use, or the time is over; what is in use then.
    fn until_free(&mut self, remove: impl Fn() -> Outcome<Vec<String>>) -> Outcome<Vec<String>> {
        let began = Instant::now();
        let mut told = false;
        loop {
            let in_use = remove()?;
            if in_use.is_empty() || began.elapsed() >= self.bound {
                return Ok(in_use);
            }
            if !told && began.elapsed() >= Self::SILENCE {
                (self.say)(&in_use, self.bound);
                told = true;
            }
            std::thread::sleep(Self::AGAIN);
        }
    }
}

fn names<'a>(names: &'a [String], dress: &'a Dress) -> impl Iterator<Item = String> + 'a {
    names.iter().map(|name| dress.name(name))
}
