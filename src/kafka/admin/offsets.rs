//! Offsets of partitions.

use super::Admin;
use crate::failure::Outcome;
use crate::kafka::errors::Answer;
use crate::kafka::settling::all_settled;
use crate::kafka::types::{ListedOffset, OffsetSpec, TopicPartition};
use std::collections::BTreeMap;

/// Where a partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// The first offset that can be read.
    pub earliest: i64,
    /// The offset the next record gets.
    pub latest: i64,
}

impl PartitionOffsets {
    /// How many offsets lie between the two: as many as records only where none was compacted away and no transaction
    /// has left its marker.
    pub fn span(self) -> i64 {
        (self.latest - self.earliest).max(0)
    }
}

impl Admin {
    /// One offset of each partition, each with its own answer.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        spec: OffsetSpec,
    ) -> Outcome<BTreeMap<TopicPartition, Answer<ListedOffset>>> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answer = all_settled(|| self.client.list_offsets(partitions, spec, self.ask()));
        Ok(self
            .outcome("cannot ask for offsets", answer)?
            .into_iter()
            .collect())
    }

    /// The first and the next offset of each partition.
    ///
    /// # Errors
    /// When one partition's cannot be told, for example because it has no leader.
    pub fn offset_range(
        &self,
        partitions: &[TopicPartition],
    ) -> Outcome<BTreeMap<TopicPartition, PartitionOffsets>> {
        let earliest = self.list_offsets(partitions, OffsetSpec::Earliest)?;
        let mut latest = self.list_offsets(partitions, OffsetSpec::Latest)?;
        let told = |partition: &TopicPartition, answer: Answer<ListedOffset>| {
            answer
                .map(|listed| listed.offset.unwrap_or(0))
                .map_err(|error| self.failure(&format!("cannot ask for the offsets of {partition}"), error))
        };
        let mut ranges = BTreeMap::new();
        for (partition, answer) in earliest {
            let Some(end) = latest.remove(&partition) else {
                continue;
            };
            let range = PartitionOffsets {
                earliest: told(&partition, answer)?,
                latest: told(&partition, end)?,
            };
            ranges.insert(partition, range);
        }
        Ok(ranges)
    }

    /// Deletes the records before an offset, of each partition; -1 means all. Answers the new first offsets.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn delete_records(
        &self,
        before: &[(TopicPartition, i64)],
    ) -> Outcome<Vec<(TopicPartition, Answer<i64>)>> {
        self.outcome(
            "cannot delete records",
            all_settled(|| self.client.delete_records(before, self.ask())),
        )
    }
}
