//! What holds at every moment, whatever happens.
//!
//! The checks look into the nodes that run: at their replicas and the metadata they go by. What a leader shows as committed
//! is remembered, and every replica, now and later, must have the same below its own high watermark.

use super::cluster::{CONTROLLER, Cluster};
use super::history::History;
use super::ledger::{Ledger, Place};
use super::workloads::reader::visible;
use super::workloads::{DEALS, SAFE, is_safe};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use velodrome::broker::Partition;
use velodrome::broker::batch::{Batch, Batches, Records, records_of};
use velodrome::broker::log::ReadLimit;
use velodrome::broker::metadata::MetadataImage;

/// A node in one of its lives, and a partition there.
type Replica = (i32, u32, Place);

/// What has been seen so far.
pub struct Invariants {
    history: History,
    ledger: Ledger,
    /// Who leads, by partition and leader epoch.
    leaders: BTreeMap<(Place, i32), i32>,
    /// What is committed, by partition: batches by their first offset, and where they end.
    committed: BTreeMap<Place, (BTreeMap<i64, Bytes>, i64)>,
    /// Up to where a replica has been compared with that.
    compared: BTreeMap<Replica, i64>,
    /// A leader's high watermark, by its epoch.
    watermarks: BTreeMap<(Replica, i32), i64>,
    /// Leader epoch and partition epoch by topic id and partition, as the controller last said.
    epochs: BTreeMap<(String, i32), (i32, i32)>,
    /// What the metadata are, by offset: the same for all.
    images: BTreeMap<i64, String>,
    /// How far a node's metadata were, by life.
    applied: BTreeMap<(i32, u32), i64>,
}

impl Invariants {
    pub fn new(history: &History, ledger: &Ledger) -> Self {
        Invariants {
            history: history.clone(),
            ledger: ledger.clone(),
            leaders: BTreeMap::new(),
            committed: BTreeMap::new(),
            compared: BTreeMap::new(),
            watermarks: BTreeMap::new(),
            epochs: BTreeMap::new(),
            images: BTreeMap::new(),
            applied: BTreeMap::new(),
        }
    }

    /// Looks at all nodes that run.
    pub fn check(&mut self, cluster: &Cluster) {
        for (id, life, node) in cluster.running() {
            if id == CONTROLLER {
                let image = node.controller.as_ref().map(|controller| controller.image());
                if let Some(image) = image {
                    self.image(id, life, &image);
                    self.epochs(&image);
                    self.topics(&image);
                }
                continue;
            }
            self.image(id, life, &node.metadata.load());
            for partition in node.replicas.partitions() {
                self.leader(id, &partition);
                if is_safe(&partition.topic) {
                    self.replica(id, life, &partition);
                }
            }
        }
        self.told();
    }

    /// Metadata never go back within a life, and are the same for all who are as far.
    fn image(&mut self, id: i32, life: u32, image: &MetadataImage) {
        let applied = self.applied.entry((id, life)).or_insert(-1);
        if image.offset < *applied {
            let back = format!(
                "the metadata of node {id} went back from {applied} to {}",
                image.offset
            );
            self.history.broken(back);
        }
        *applied = image.offset;
        let words = format!("{:?} {:?} {:?}", image.brokers, image.topics, image.configs);
        let known = self.images.entry(image.offset).or_insert_with(|| words.clone());
        if *known != words {
            self.history.broken(format_args!(
                "the metadata at offset {} are not the same on node {id}:\n  {words}\n  and elsewhere\n  {known}",
                image.offset
            ));
        }
    }

    /// What the controller has decided on stays decided.
    fn epochs(&mut self, image: &MetadataImage) {
        for topic in image.topics.values() {
            for (index, partition) in (0..).zip(&topic.partitions) {
                let key = (topic.id.to_string(), index);
                let now = (partition.leader_epoch, partition.partition_epoch);
                let known = self.epochs.entry(key).or_insert(now);
                if now.0 < known.0 || now.1 < known.1 {
                    self.history.broken(format_args!(
                        "the epochs of {}-{index} went back from {known:?} to {now:?}",
                        topic.name
                    ));
                }
                *known = now;
            }
        }
    }

    /// A topic that was told to be there is, and one that was told to be gone is not.
    fn topics(&self, image: &MetadataImage) {
        for (name, there) in self.ledger.topics() {
            if image.topics.contains_key(&name) != there {
                let what = if there { "made" } else { "deleted" };
                self.history
                    .broken(format_args!("topic {name} was {what}, and is not so any more"));
            }
        }
    }

    /// One leader an epoch.
    fn leader(&mut self, id: i32, partition: &Partition) {
        let Some(epoch) = partition.leader_epoch() else {
            return;
        };
        let place = (
            format!("{}/{}", partition.topic, partition.topic_id),
            partition.index,
        );
        let known = *self.leaders.entry((place, epoch)).or_insert(id);
        if known != id {
            self.history.broken(format_args!(
                "nodes {known} and {id} both lead {}-{} in epoch {epoch}",
                partition.topic, partition.index
            ));
        }
    }

    /// What a replica has below its high watermark is what is committed, and stays so; a leader's never goes back.
    fn replica(&mut self, id: i32, life: u32, partition: &Arc<Partition>) {
        let place: Place = (partition.topic.clone(), partition.index);
        let replica: Replica = (id, life, place.clone());
        let log = &partition.log;
        let (end, watermark) = (log.log_end_offset(), log.high_watermark());
        if let Some(epoch) = partition.leader_epoch() {
            let known = self
                .watermarks
                .entry((replica.clone(), epoch))
                .or_insert(watermark);
            if watermark < *known {
                self.history.broken(format_args!(
                    "the high watermark of {place:?} went back from {known} to {watermark} on node {id}"
                ));
            }
            *known = watermark;
        }
        let compared = self.compared.get(&replica).copied().unwrap_or(0);
        if end < compared {
            self.history.broken(format_args!(
                "node {id} cut {place:?} back to {end}, and {compared} was committed"
            ));
        }
        let mut next = compared;
        for batch in batches(partition, compared, watermark) {
            self.compare(id, &place, &batch);
            next = batch.header.next_offset();
        }
        self.compared.insert(replica, next);
    }

    fn compare(&mut self, id: i32, place: &Place, batch: &Batch) {
        let (committed, end) = self.committed.entry(place.clone()).or_default();
        let base = batch.header.base_offset;
        if base >= *end {
            if base > *end {
                self.history
                    .broken(format_args!("nothing is at {end} of {place:?} on node {id}"));
            }
            *end = batch.header.next_offset();
            committed.insert(base, batch.bytes.clone());
        } else if committed.get(&base) != Some(&batch.bytes) {
            self.history.broken(format_args!(
                "node {id} has another batch at {base} of {place:?} than what was committed"
            ));
        }
    }

    /// What clients were told stands where they were told.
    fn told(&self) {
        for (place, (committed, end)) in &self.committed {
            let told = self.ledger.records(place, 0, *end);
            if told.is_empty() {
                continue;
            }
            let stand: BTreeMap<i64, String> = committed.values().flat_map(values).collect();
            for (offset, value) in told {
                if stand.get(&offset) != Some(&value) {
                    let other = stand.get(&offset).map_or("nothing", String::as_str);
                    self.history.broken(format_args!(
                        "{value} was told to stand at {offset} of {place:?}, where {other} does"
                    ));
                }
            }
        }
    }

    /// What holds when everything has healed: all that was told is committed, nothing twice.
    pub fn check_end(&mut self, cluster: &Cluster) {
        self.check(cluster);
        for (place, (committed, end)) in &self.committed {
            let beyond = self.ledger.records(place, *end, i64::MAX);
            if let Some((offset, value)) = beyond.first() {
                self.history.broken(format_args!(
                    "{value} was told to stand at {offset} of {place:?}, which ends at {end}"
                ));
            }
            if place.0 == SAFE || place.0 == DEALS {
                let mut seen = BTreeMap::new();
                for (offset, value) in committed.values().flat_map(values) {
                    if let Some(first) = seen.insert(value.clone(), offset) {
                        self.history.broken(format_args!(
                            "{value} stands at {first} and {offset} of {place:?}"
                        ));
                    }
                }
            }
        }
        self.replicas_are_equal(cluster);
    }

    /// What can be read of committed transactions on each node that has the topic, by partition.
    pub fn visible_deals(cluster: &Cluster) -> Vec<(i32, BTreeMap<i32, Vec<String>>)> {
        let brokers = cluster.running().filter(|(id, ..)| *id != CONTROLLER);
        let of_node = brokers.map(|(id, _, node)| {
            let mut partitions = node.replicas.partitions();
            partitions.retain(|partition| partition.topic == DEALS);
            let read = partitions
                .iter()
                .map(|partition| (partition.index, committed(partition)));
            (id, read.collect())
        });
        of_node.collect()
    }

    /// Byte for byte, the loose ones too.
    fn replicas_are_equal(&self, cluster: &Cluster) {
        let mut known: BTreeMap<(String, i32), (i32, Vec<Bytes>)> = BTreeMap::new();
        for (id, _, node) in cluster.running().filter(|(id, ..)| *id != CONTROLLER) {
            for partition in node.replicas.partitions() {
                let place = (partition.topic_id.to_string(), partition.index);
                let (from, to) = (partition.log.log_start_offset(), partition.log.log_end_offset());
                let bytes: Vec<Bytes> = batches(&partition, from, to)
                    .into_iter()
                    .map(|batch| batch.bytes)
                    .collect();
                let (other, theirs) = known.entry(place).or_insert_with(|| (id, bytes.clone()));
                if *theirs != bytes {
                    self.history.broken(format_args!(
                        "{}-{} is not the same on nodes {other} and {id}",
                        partition.topic, partition.index
                    ));
                }
            }
        }
    }
}

/// The batches of a replica from an offset on that end below another.
fn batches(partition: &Partition, from: i64, to: i64) -> Vec<Batch> {
    let mut found = Vec::new();
    let mut next = from;
    while next < to {
        let Ok(read) = partition.log.read(next, 1 << 20, true, ReadLimit::LogEnd) else {
            break;
        };
        let before = next;
        for batch in Batches::new(read.records) {
            if batch.header.next_offset() > to {
                return found;
            }
            next = batch.header.next_offset();
            found.push(batch);
        }
        if next == before {
            break;
        }
    }
    found
}

/// The values of all records that are committed.
fn committed(partition: &Partition) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = partition.log.log_start_offset();
    while let Ok(read) = partition.log.read(next, 1 << 20, true, ReadLimit::LastStable) {
        let Some(last) = Batches::new(read.records.clone()).last() else {
            break;
        };
        next = last.header.next_offset();
        let values = visible(read.records, read.aborted);
        found.extend(values.into_iter().map(|(_, value)| value));
    }
    found
}

/// The records of a batch, by offset.
fn values(bytes: &Bytes) -> Vec<(i64, String)> {
    let batches = Batches::new(bytes.clone());
    let mut values = Vec::new();
    for batch in batches.filter(|batch| !batch.header.is_control()) {
        let expanded = records_of(&batch).unwrap();
        for record in Records::new(&expanded) {
            let record = record.unwrap();
            let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
            values.push((batch.header.offset_of(&record), value));
        }
    }
    values
}
