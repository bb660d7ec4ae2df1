//! Whether consumer groups can have a coordinator: who coordinates them keeps `__consumer_offsets`, which a cluster makes
//! when a first group comes, if it can.

use super::Admin;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::ErrorCode;
use crate::kafka::types::{ClusterMetadata, ConfigResource};
use std::time::{Duration, Instant};

/// The topic that holds what groups have committed.
const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// How long brokers that are starting may take to be enough, and those of a new cluster to make the topic.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often to look meanwhile.
const AGAIN: Duration = Duration::from_millis(100);

impl Admin {
    /// Why no group can have a coordinator, if so: `__consumer_offsets` is not there, and wants more replicas than there are
    /// brokers. Asks nothing that would make the topic.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn lack_of_coordinators(&self) -> Outcome<Option<Failure>> {
        let metadata = self.metadata()?;
        if metadata.topics.iter().any(|topic| topic.name == OFFSETS_TOPIC) {
            return Ok(None);
        }
        let brokers = metadata.brokers.len();
        let Some(broker) = metadata.brokers.first() else {
            return Ok(None);
        };
        let settings = self.describe_configs(&ConfigResource::Broker(broker.id))?;
        let number = |name: &str| {
            let setting = settings.iter().find(|setting| setting.name == name)?;
            setting.value.as_deref()?.parse::<usize>().ok()
        };
        let Some(factor) = number("offsets.topic.replication.factor").filter(|factor| *factor > brokers)
        else {
            return Ok(None);
        };
        let partitions = number("offsets.topic.num.partitions").unwrap_or(50);
        Ok(Some(too_few_brokers(factor, brokers, partitions)))
    }

    /// Makes sure that groups can have a coordinator; brokers that are just starting are waited for a moment.
    ///
    /// # Errors
    /// When there can be none, with what to do about it; when the cluster does not answer.
    pub fn ensure_coordinators(&self) -> Outcome {
        let begun = Instant::now();
        while let Some(lack) = self.lack_of_coordinators()? {
            if begun.elapsed() > PATIENCE {
                return Err(lack);
            }
            std::thread::sleep(AGAIN);
        }
        Ok(())
    }

    /// Why the coordinator of `group` is not to be had right now, in a few words; `None` when it is, or nobody can tell.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn absence_of_coordinator(&self, group: &str) -> Outcome<Option<String>> {
        let Some(mut wire) = self.wire()? else {
            return Ok(None);
        };
        match wire.group_coordinator(group) {
            Err(error) if error.code() == ErrorCode::CoordinatorNotAvailable => {
                Ok(Some(without_leader(&self.metadata()?)))
            }
            _ => Ok(None),
        }
    }
}

fn too_few_brokers(factor: usize, brokers: usize, partitions: usize) -> Failure {
    let (are, s) = if brokers == 1 { ("is", "") } else { ("are", "s") };
    Failure::request(format!(
        "consumer groups cannot work on this cluster: it cannot make {OFFSETS_TOPIC}, where they keep their offsets"
    ))
    .because(format!(
        "offsets.topic.replication.factor is {factor}, and there {are} {brokers} broker{s}"
    ))
    .hint(format!(
        "velo topic create {OFFSETS_TOPIC} --partitions {partitions} --replication-factor {brokers} \
         --config cleanup.policy=compact --config segment.bytes=104857600"
    ))
    .hint(format!(
        "or start more brokers, or the broker with offsets.topic.replication.factor={brokers}"
    ))
}

fn without_leader(metadata: &ClusterMetadata) -> String {
    let offsets = metadata.topics.iter().find(|topic| topic.name == OFFSETS_TOPIC);
    let leaderless = offsets.map_or(0, |topic| {
        let without = topic.partitions.iter().filter(|one| one.leader.is_none());
        without.count()
    });
    match leaderless {
        0 => "its coordinator is not there yet".to_owned(),
        count => format!("{count} of the partitions of {OFFSETS_TOPIC} have no leader"),
    }
}
