//! Who leads a partition when brokers come and go.

use crate::broker::metadata::record::PartitionChange;
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};

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
    pub fn changes(&self) -> Vec<PartitionChange> {
        let topics = self.image.topics.values();
        topics.flat_map(|topic| self.changes_of(topic)).collect()
    }

    fn changes_of(&self, topic: &TopicImage) -> Vec<PartitionChange> {
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
    ) -> Option<PartitionChange> {
        let mut isr: Vec<i32> = partition.isr.clone();
        isr.retain(|replica| Some(*replica) != self.leaving);
        if isr.is_empty() {
            // The last one in sync stays so: it alone has all records.
            isr.clone_from(&partition.isr);
        }
        let mut leader = partition.leader;
        if leader == -1 || !self.can_lead(leader) {
            leader = self.clean_leader(partition, &isr).unwrap_or(-1);
            if leader == -1 && (self.unclean)(&topic.name) {
                let mut replicas = partition.replicas.iter().copied();
                if let Some(unclean) = replicas.find(|replica| self.can_lead(*replica)) {
                    leader = unclean;
                    isr = vec![unclean];
                }
            }
        }
        let change = PartitionChange {
            partition_id: index,
            topic_id: topic.id,
            isr: (isr != partition.isr).then_some(isr),
            leader: (leader != partition.leader).then_some(leader),
            replicas: None,
        };
        (change.isr.is_some() || change.leader.is_some()).then_some(change)
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
    Preferred::Change(PartitionChange {
        partition_id: index,
        topic_id: topic.id,
        isr: None,
        leader: Some(preferred),
        replicas: None,
    })
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
    Change(PartitionChange),
}
