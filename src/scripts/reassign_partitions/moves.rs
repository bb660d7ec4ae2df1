//! Where replicas lie, and moving them between the log directories of a broker.

use super::file::{Replica, by_broker, shown};
use super::{Cluster, error, joined, plural, terse};
use crate::kafka::{ErrorCode, TopicPartition};
use crate::scripts::java_words::java_exception;
use crate::scripts::{Ending, out};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

/// How long Kafka's tool waits before it asks again.
const PAUSE: Duration = Duration::from_millis(100);

/// The log directory of a replica, and the one that it is being moved to.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub current: Option<String>,
    pub future: Option<String>,
}

/// Where replicas lie. Those on brokers that are down are left out, those that their brokers do not have lie nowhere.
pub(super) fn places<'a>(
    cluster: &mut Cluster,
    replicas: impl Iterator<Item = &'a Replica>,
) -> Result<BTreeMap<Replica, Place>, Ending> {
    let mut by_id: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
    for (partition, broker) in replicas {
        by_id.entry(*broker).or_default().push(partition.clone());
    }
    let up = cluster.brokers()?;
    let mut places: BTreeMap<Replica, Place> = BTreeMap::new();
    for (broker, partitions) in by_id {
        if !up.contains(&broker) {
            continue;
        }
        let asked = partitions.iter().map(|partition| (partition.clone(), broker));
        places.extend(asked.map(|replica| (replica, Place::default())));
        let dirs = cluster.ask("describeReplicaLogDirs", |wire| {
            wire.describe_log_dirs(broker, Some(&partitions))
        })?;
        for dir in dirs {
            for told in dir.replicas {
                let place = places.entry((told.partition, broker)).or_default();
                let slot = if told.is_future {
                    &mut place.future
                } else {
                    &mut place.current
                };
                *slot = Some(dir.path.clone());
            }
        }
    }
    Ok(places)
}

/// What has become of a move between log directories.
pub(super) enum Progress {
    /// The broker has no such replica in any directory that works.
    NoDirectory,
    /// The broker is not there to be asked.
    NoReplica,
    /// It is on its way from the first to the second.
    Active(String, String),
    /// It stays in this one.
    Cancelled(String),
    /// It is there.
    Completed,
}

impl Progress {
    fn of(place: Option<Place>, target: &str) -> Self {
        match place {
            None => Progress::NoReplica,
            Some(Place { current: None, .. }) => Progress::NoDirectory,
            Some(Place {
                current: Some(current),
                future: Some(future),
            }) => Progress::Active(current, future),
            Some(Place {
                current: Some(current),
                future: None,
            }) if current == target => Progress::Completed,
            Some(Place {
                current: Some(current),
                future: None,
            }) => Progress::Cancelled(current),
        }
    }

    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(self, Progress::Cancelled(_) | Progress::Completed)
    }

    pub fn told(&self, replica: &Replica, target: &str) -> String {
        let (partition, broker) = replica;
        match self {
            Progress::NoDirectory => format!(
                "Partition {partition} is not found in any live log dir on broker {broker}. There is likely an offline \
                 log directory on the broker."
            ),
            Progress::NoReplica => {
                format!("Partition {partition} cannot be found in any live log directory on broker {broker}.")
            }
            Progress::Active(_, future) if future == target => {
                format!("Reassignment of replica {} is still in progress.", shown(replica))
            }
            Progress::Active(_, future) => format!(
                "Partition {partition} on broker {broker} is being moved to log dir {future} instead of {target}."
            ),
            Progress::Cancelled(current) => format!(
                "Partition {partition} on broker {broker} is not being moved from log dir {current} to {target}."
            ),
            Progress::Completed => {
                format!(
                    "Reassignment of replica {} completed successfully.",
                    shown(replica)
                )
            }
        }
    }
}

/// What has become of moves, in the order in which they are printed.
pub(super) fn progress(
    cluster: &mut Cluster,
    targets: &BTreeMap<Replica, String>,
) -> Result<Vec<(Replica, String, Progress)>, Ending> {
    let mut places = places(cluster, targets.keys())?;
    let mut all: Vec<_> = targets
        .iter()
        .map(|(replica, target)| {
            let progress = Progress::of(places.remove(replica), target);
            (replica.clone(), target.clone(), progress)
        })
        .collect();
    all.sort_by_key(|(replica, ..)| by_broker(replica));
    Ok(all)
}

/// Starts moves. A replica that is new on its broker may have to arrive there first.
pub(super) fn start(
    cluster: &mut Cluster,
    targets: &BTreeMap<Replica, String>,
    patience: Duration,
) -> Result<(), Ending> {
    let deadline = Instant::now() + patience;
    let mut pending: Vec<(&Replica, &String)> = targets.iter().collect();
    pending.sort_by_key(|(replica, _)| by_broker(replica));
    loop {
        let mut waiting = Vec::new();
        for (replica, target) in pending {
            if try_to_start(cluster, replica, target)? {
                out(&format!(
                    "Successfully started moving log directory to {target} for replica {} with broker {} ",
                    replica.0, replica.1
                ));
            } else {
                waiting.push((replica, target));
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(terse(format!(
                "Timed out before log directory move{} could be started for: {}",
                plural(waiting.len()),
                joined(waiting.iter().map(|(replica, _)| shown(replica)))
            )));
        }
        thread::sleep(PAUSE);
        pending = waiting;
    }
}

/// Whether the broker had the replica, and begins.
fn try_to_start(cluster: &mut Cluster, replica: &Replica, target: &str) -> Result<bool, Ending> {
    let (partition, broker) = replica;
    let asked = [(partition.clone(), target.to_owned())];
    let answers = cluster.ask("alterReplicaLogDirs", |wire| {
        wire.alter_replica_log_dirs(*broker, &asked)
    })?;
    for (_, answer) in answers {
        match answer {
            Ok(()) => {}
            Err(refusal) if refusal.code() == ErrorCode::ReplicaNotAvailable => return Ok(false),
            Err(refusal) => {
                return Err(Ending {
                    stderr: java_exception(&refusal),
                    ..error(format!("Failed to alter dir for {}", shown(replica)))
                });
            }
        }
    }
    Ok(true)
}
