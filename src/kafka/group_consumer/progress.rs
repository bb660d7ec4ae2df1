//! How far a program is in the partitions that it was given.

use super::{Assigned, GroupConsumer};
use crate::failure::Outcome;
use std::collections::BTreeMap;

/// What a member has committed of its partitions, and what it still has to read. Begins anew with each assignment.
#[derive(Debug, Default)]
pub struct Progress {
    committed: BTreeMap<i32, i64>,
    /// What could not be committed yet.
    uncommitted: BTreeMap<i32, i64>,
    /// Where the assigned partitions ended when they were assigned; none while nothing is assigned.
    ends: Option<BTreeMap<i32, i64>>,
}

impl Progress {
    /// At the start of an assignment. Where the group has no position in a partition, or another one, this one is committed,
    /// so that a reader of nothing yet has a lag, and the next goes on from here.
    ///
    /// # Errors
    /// As [`GroupConsumer::commit`].
    pub fn begin(consumer: &GroupConsumer, assigned: &[Assigned]) -> Outcome<Self> {
        let mut progress = Self::of(assigned);
        let begun = assigned
            .iter()
            .filter(|given| given.committed != Some(given.start))
            .map(|given| (given.partition, given.start))
            .collect();
        progress.commit(consumer, begun)?;
        Ok(progress)
    }

    fn of(assigned: &[Assigned]) -> Self {
        let each = |value: fn(&Assigned) -> i64| {
            assigned
                .iter()
                .map(|given| (given.partition, value(given)))
                .collect::<BTreeMap<_, _>>()
        };
        Progress {
            committed: each(|given| given.start),
            uncommitted: BTreeMap::new(),
            ends: Some(each(|given| given.end)),
        }
    }

    /// Commits the offsets of the next records to read, with those that could not be committed before. What cannot be
    /// committed now either is kept for the next time.
    ///
    /// # Errors
    /// As [`GroupConsumer::commit`].
    pub fn commit(&mut self, consumer: &GroupConsumer, next: BTreeMap<i32, i64>) -> Outcome {
        self.uncommitted.extend(next);
        if consumer.commit(&self.uncommitted)? {
            self.committed.append(&mut self.uncommitted);
        }
        Ok(())
    }

    /// Takes note of offsets that a transaction has committed.
    pub fn note(&mut self, next: BTreeMap<i32, i64>) {
        self.committed.extend(next);
    }

    /// Whether all that was there when the partitions were assigned is read and committed.
    pub fn is_complete(&self, consumer: &GroupConsumer) -> bool {
        let read = |(partition, end): (&i32, &i64)| {
            let to_the_end = consumer.has_ended(*partition) && !self.uncommitted.contains_key(partition);
            // Behind the last record there may be markers of transactions, which nobody commits.
            to_the_end || self.committed.get(partition).is_some_and(|next| next >= end)
        };
        self.ends.as_ref().is_some_and(|ends| ends.iter().all(read))
    }

    /// The offset of the next record to read of each assigned partition, as it is committed.
    pub fn committed(&self) -> &BTreeMap<i32, i64> {
        &self.committed
    }

    /// The assigned partitions as a person lists them: `partitions 0, 1, 2`, `partition 0`, or `no partition`.
    pub fn partitions(&self) -> String {
        let names: Vec<String> = self.committed.keys().map(i32::to_string).collect();
        match names.as_slice() {
            [] => "no partition".to_owned(),
            [one] => format!("partition {one}"),
            several => format!("partitions {}", several.join(", ")),
        }
    }
}
