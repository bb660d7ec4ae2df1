//! Why the partitions of a topic take no records.

use super::Admin;
use crate::failure::Outcome;
use crate::kafka::types::{ConfigResource, PartitionDescription};
use crate::ui::units::count;

/// How many replicas must be in sync before a leader takes a record of who waits for all of them.
const MIN_ISR: &str = "min.insync.replicas";

impl Admin {
    /// Which partitions of a topic take no record that all in-sync replicas must have, and why, in a line: no replica leads
    /// them, or fewer are in sync than `min.insync.replicas` asks for. `None` when all do, as far as can be seen.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub fn lack_of_replicas(&self, topic: &str) -> Outcome<Option<String>> {
        let Some(description) = self.find_topic(topic)? else {
            return Ok(None);
        };
        let settings = self.describe_configs(&ConfigResource::Topic(topic.to_owned()))?;
        let least = settings.iter().find(|setting| setting.name == MIN_ISR);
        let least = least.and_then(|setting| setting.value.as_deref()?.parse().ok());
        Ok(lack(&description.partitions, least.unwrap_or(1)))
    }
}

fn lack(partitions: &[PartitionDescription], least: usize) -> Option<String> {
    let offline = partitions.iter().filter(|one| one.leader.is_none());
    let offline: Vec<_> = offline.map(|one| one.partition).collect();
    let led = partitions.iter().filter(|one| one.leader.is_some());
    let short: Vec<_> = led
        .filter(|one| one.isr.len() < one.wanted_in_sync(least))
        .collect();
    let mut why = Vec::new();
    if !offline.is_empty() {
        let verb = if offline.len() == 1 { "has" } else { "have" };
        why.push(format!("{} {verb} no leader", named(&offline)));
    }
    if let Some(first) = short.first() {
        let numbers: Vec<_> = short.iter().map(|one| one.partition).collect();
        let verb = if short.len() == 1 { "has" } else { "have" };
        why.push(format!(
            "{} {verb} {} in sync of the {} that {MIN_ISR} asks for",
            named(&numbers),
            count(first.isr.len(), "replica"),
            first.wanted_in_sync(least),
        ));
    }
    (!why.is_empty()).then(|| why.join("; "))
}

/// At most so many partitions are named.
const NAMED: usize = 5;

fn named(partitions: &[i32]) -> String {
    let numbers: Vec<String> = partitions.iter().take(NAMED).map(i32::to_string).collect();
    let more = partitions.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let word = if partitions.len() == 1 {
        "partition"
    } else {
        "partitions"
    };
    format!("{word} {}{more}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(partition: i32, leader: Option<i32>, isr: &[i32]) -> PartitionDescription {
        PartitionDescription {
            partition,
            leader,
            replicas: vec![1, 2, 3],
            isr: isr.to_vec(),
        }
    }

    #[test]
    fn partitions_without_leader_or_too_few_in_sync_are_named_and_others_are_not() {
        let whole = partition(0, Some(1), &[1, 2, 3]);
        let alone = partition(1, Some(1), &[1]);
        let offline = partition(2, None, &[3]);
        let told = |partitions: &[&PartitionDescription], least| {
            let partitions: Vec<_> = partitions.iter().map(|one| (*one).clone()).collect();
            lack(&partitions, least).unwrap_or_default()
        };
        assert_eq!(told(&[&whole, &alone], 1), "");
        assert_eq!(
            told(&[&whole, &alone], 2),
            "partition 1 has 1 replica in sync of the 2 that min.insync.replicas asks for"
        );
        assert_eq!(told(&[&whole, &offline], 1), "partition 2 has no leader");
        // A topic of three replicas whose setting asks for five.
        assert_eq!(told(&[&whole], 5), "");
        let many: Vec<_> = (0..7).map(|number| partition(number, None, &[])).collect();
        let many: Vec<_> = many.iter().collect();
        assert_eq!(
            told(&many, 1),
            "partitions 0, 1, 2, 3, 4 and 2 more have no leader"
        );
    }
}
