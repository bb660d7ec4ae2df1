//! Who leads a partition when brokers come and go.

use crate::broker::metadata::image::NO_LEADER_CHANGE;
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};
use crate::broker::records::metadata::PartitionChangeRecord;

/// What decides an election beside the partition itself.
pub(super) struct Electorate<'a> {
    /// The cluster as it is.
    pub image: &'a MetadataImage,
    /// A broker that is just going: it counts as fenced already.
    pub leaving: Option<i32>,
    /// A broker that is just coming: it counts as unfenced already.
    pub coming: Option<i32>,
    /// Whether a topic may elect a replica that is not in sync.
    pub unclean: &'a dyn Fn(&str) -> bool,
}

impl Electorate<'_> {
    fn can_lead(&self, broker: i32) -> bool {
        if self.leaving == Some(broker) {
            return false;
        }
        self.coming == Some(broker)
            || self
                .image
                .brokers
                .get(&broker)
                .is_some_and(|broker| broker.can_lead())
    }

    /// The first replica, in their order, that is in `isr` and can lead.
    fn clean_leader(&self, partition: &PartitionImage, isr: &[i32]) -> Option<i32> {
        let mut replicas = partition.replicas.iter().copied();
        replicas.find(|replica| isr.contains(replica) && self.can_lead(*replica))
    }

    /// What must change of all partitions now.
    pub fn changes(&self) -> Vec<PartitionChangeRecord> {
        let topics = self.image.topics.values();
        topics.flat_map(|topic| self.changes_of(topic)).collect()
    }

    fn changes_of(&self, topic: &TopicImage) -> Vec<PartitionChangeRecord> {
        let partitions = (0..).zip(&topic.partitions);
        partitions
            .filter_map(|(index, partition)| self.change_of(topic, index, partition))
            .collect()
    }

    fn change_of(
        &self,
        topic: &TopicImage,
        index: i32,
        partition: &PartitionImage,
    ) -> Option<PartitionChangeRecord> {
        let mut isr: Vec<i32> = partition.isr.clone();
        isr.retain(|replica| Some(*replica) != self.leaving);
        if isr.is_empty() {
            // The last one in sync stays so: it alone has all records.
            isr.clone_from(&partition.isr);
        }
        let mut leader = partition.leader;
        if leader == -1 || !self.can_lead(leader) {
            leader = self.clean_leader(partition, &isr).unwrap_or(-1);
            if isr.is_empty()
                && let Some(eligible) = self.clean_leader(partition, &partition.eligible)
            {
                // With nobody in sync, one of those that have all that was committed leads (KIP-966).
                leader = eligible;
                isr = vec![eligible];
            }
            if leader == -1 && (self.unclean)(&topic.name) {
                let mut replicas = partition.replicas.iter().copied();
                if let Some(unclean) = replicas.find(|replica| self.can_lead(*replica)) {
                    leader = unclean;
                    isr = vec![unclean];
                }
            }
        }
        let isr = (isr != partition.isr).then_some(isr);
        let leader = (leader != partition.leader).then_some(leader);
        let change = partition.change(topic.id, index, isr, leader);
        (change.isr.is_some() || change.leader != NO_LEADER_CHANGE).then_some(change)
    }
}

/// Makes the first replica the leader, if it is in sync and not the leader yet.
pub(super) fn preferred(image: &MetadataImage, topic: &TopicImage, index: i32) -> Preferred {
    let partition = usize::try_from(index)
        .ok()
        .and_then(|index| topic.partitions.get(index));
    let Some((partition, preferred)) =
        partition.and_then(|partition| Some((partition, *partition.replicas.first()?)))
    else {
        return Preferred::Unknown;
    };
    if partition.leader == preferred {
        return Preferred::Already;
    }
    let can_lead = image
        .brokers
        .get(&preferred)
        .is_some_and(|broker| broker.can_lead());
    if !can_lead || !partition.isr.contains(&preferred) {
        return Preferred::Unavailable;
    }
    Preferred::Change(partition.change(topic.id, index, None, Some(preferred)))
}

/// Outcome of [`preferred`].
pub(super) enum Preferred {
    /// No such partition.
    Unknown,
    /// It leads.
    Already,
    /// It is fenced or not in sync.
    Unavailable,
    /// It takes over.
    Change(PartitionChangeRecord),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::metadata::BrokerImage;
    use std::sync::Arc;
    use uuid::Uuid;

    /// Topic `t` with one partition, and these brokers, all fenced.
    fn image(partition: PartitionImage, brokers: &[i32]) -> MetadataImage {
        let mut image = MetadataImage::default();
        for id in brokers {
            let broker = BrokerImage {
                id: *id,
                fenced: true,
                ..BrokerImage::default()
            };
            image.brokers.insert(*id, broker);
        }
        let topic = TopicImage {
            id: Uuid::from_u128(5),
            name: "t".to_owned(),
            partitions: vec![partition],
        };
        image.topics.insert("t".to_owned(), Arc::new(topic));
        image
    }

    fn coming(image: &MetadataImage, broker: i32) -> Option<PartitionChangeRecord> {
        let electorate = Electorate {
            image,
            leaving: None,
            coming: Some(broker),
            unclean: &|_| false,
        };
        electorate.changes().pop()
    }

    #[test]
    fn with_nobody_in_sync_an_eligible_replica_leads_and_no_other() {
        let partition = PartitionImage {
            replicas: vec![1, 2],
            leader: -1,
            eligible: vec![2],
            last_eligible: vec![2],
            ..PartitionImage::default()
        };
        let image = image(partition, &[1, 2]);
        assert_eq!(coming(&image, 1), None);
        let change = coming(&image, 2).unwrap();
        assert_eq!((change.leader, change.isr), (2, Some(vec![2])));
        let none = Some(Vec::new());
        assert_eq!(
            (change.eligible_leader_replicas, change.last_known_elr),
            (none.clone(), none)
        );
    }

    #[test]
    fn the_last_in_sync_stays_so_and_leads_again() {
        let partition = PartitionImage {
            replicas: vec![1, 2],
            isr: vec![1],
            leader: -1,
            ..PartitionImage::default()
        };
        let image = image(partition, &[1, 2]);
        assert_eq!(coming(&image, 2), None);
        let change = coming(&image, 1).unwrap();
        assert_eq!((change.leader, change.isr), (1, None));
        assert_eq!(change.eligible_leader_replicas, None, "an old record holds it");
    }
}
