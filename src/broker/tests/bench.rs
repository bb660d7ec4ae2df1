//! What tests of coordinators stand on: real logs in a folder, led here, and a clock that is moved by hand.

use crate::broker::log::LogConfig;
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};
use crate::broker::replication::{ReplicaManager, ReplicaSettings};
use crate::broker::world::{Dice, Disk, Jobs, Net, World};
use crate::clock::Clock;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The broker.
pub const NODE: i32 = 1;

/// Adds a topic whose partitions it leads, without other replicas.
pub fn add_topic(image: &mut MetadataImage, name: &str, partitions: usize) {
    let id = Uuid::new_v4();
    let partition = PartitionImage {
        replicas: vec![NODE],
        isr: vec![NODE],
        leader: NODE,
        leader_epoch: 0,
        partition_epoch: 0,
        ..PartitionImage::default()
    };
    let topic = TopicImage {
        id,
        name: name.to_owned(),
        partitions: vec![partition; partitions],
    };
    image.topic_names.insert(id, name.to_owned());
    image.topics.insert(name.to_owned(), Arc::new(topic));
}

/// Opens the logs of an image.
pub fn open_replicas(folder: &Path, clock: &Clock, image: &MetadataImage) -> Arc<ReplicaManager> {
    let replicas = ReplicaManager::new(ReplicaSettings {
        node_id: NODE,
        log_dir: folder.to_owned(),
        retention_check_interval: Duration::from_secs(3600),
        // Work is done where it is asked for: what a coordinator has begun is done before it crashes.
        world: World::new(
            clock.clone(),
            Net::default(),
            Disk::files(),
            Dice::default(),
            Jobs::inline(Dice::default(), Arc::default()),
        ),
        topic_configs: Box::new(|_, _| LogConfig::default()),
    });
    replicas.apply(image).unwrap();
    Arc::new(replicas)
}

/// Moves the clock and waits until `fact` holds.
pub async fn advance_until(clock: &Clock, ms: u64, fact: impl Fn() -> bool) {
    clock.advance(Duration::from_millis(ms));
    let waiting = async {
        while !fact() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("what was waited for did not come true");
}
