//! Snapshots of the metadata (KIP-630): everything the log adds up to, in a file of the log's own format, so that the
//! log before it can go.

use crate::broker::batch::{Batch, BatchBuilder, BatchHeader};
use crate::broker::error::{BrokerError, Result};
use crate::broker::log::file;
use crate::broker::metadata::{
    BrokerImage, KRAFT_VERSION, KRAFT_VOTERS, MetadataImage, MetadataRecord, TopicImage,
    encode as encode_record,
};
use crate::broker::records::metadata::{
    ConfigRecord, FeatureLevelRecord, PartitionRecord, ProducerIdsRecord, RegisterBrokerRecord, TopicRecord,
};
use crate::broker::world::Disk;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SnapshotFooterRecord, SnapshotHeaderRecord};
use kafka_protocol::protocol::Encodable;
use std::path::{Path, PathBuf};

const HEADER: i16 = 3;
const FOOTER: i16 = 4;
/// Records in one batch of a snapshot.
const BATCH: usize = 1000;
/// Bytes of a snapshot in one answer, at most.
const LARGEST_PIECE: u64 = 1 << 20;

/// Which snapshot: the offset after the last record it contains, and the epoch of that record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotId {
    /// First offset that it does not contain.
    pub end_offset: i64,
    /// Epoch of the controller that wrote it.
    pub epoch: i32,
}

impl SnapshotId {
    /// Its file in the folder of the metadata log.
    pub(super) fn path(self, folder: &Path) -> PathBuf {
        folder.join(format!("{:020}-{:010}.checkpoint", self.end_offset, self.epoch))
    }

    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".checkpoint")?;
        let (end_offset, epoch) = name.split_once('-')?;
        Some(SnapshotId {
            end_offset: end_offset.parse().ok()?,
            epoch: epoch.parse().ok()?,
        })
    }
}

/// All snapshots of a folder, oldest first.
fn all(disk: &Disk, folder: &Path) -> Result<Vec<SnapshotId>> {
    let mut found = Vec::new();
    for path in disk.list(folder).map_err(BrokerError::io(folder))? {
        found.extend(SnapshotId::parse(&path));
    }
    found.sort_unstable();
    Ok(found)
}

/// The newest snapshot of a folder, if there is one.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn newest(disk: &Disk, folder: &Path) -> Result<Option<SnapshotId>> {
    if !disk.is_dir(folder) {
        return Ok(None);
    }
    Ok(all(disk, folder)?.pop())
}

/// A piece of a snapshot's file.
#[derive(Debug, Clone)]
pub struct SnapshotPiece {
    /// Its bytes.
    pub bytes: Bytes,
    /// Bytes of the whole file.
    pub size: i64,
}

/// Reads a piece of a snapshot.
///
/// # Errors
/// `SNAPSHOT_NOT_FOUND`, `POSITION_OUT_OF_RANGE`, `KAFKA_STORAGE_ERROR`.
pub(super) fn read(
    disk: &Disk,
    folder: &Path,
    id: SnapshotId,
    position: i64,
    max_bytes: i32,
) -> Result<SnapshotPiece, ResponseError> {
    let file = disk
        .open(&id.path(folder))
        .map_err(|_| ResponseError::SnapshotNotFound)?;
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "cannot read a snapshot of the metadata");
        ResponseError::KafkaStorageError
    };
    let size = file.length().map_err(failed)?;
    let position = u64::try_from(position)
        .ok()
        .filter(|position| *position < size)
        .ok_or(ResponseError::PositionOutOfRange)?;
    let limit = u64::try_from(max_bytes).unwrap_or(0).clamp(1, LARGEST_PIECE);
    let length = usize::try_from(limit.min(size - position)).unwrap_or(0);
    let mut bytes = vec![0; length];
    let read = file.read_full_at(&mut bytes, position).map_err(failed)?;
    bytes.truncate(read);
    Ok(SnapshotPiece {
        bytes: bytes.into(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
    })
}

/// Writes a snapshot and removes older ones, once it is whole and on the disk.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(
    disk: &Disk,
    folder: &Path,
    id: SnapshotId,
    image: &MetadataImage,
    now_ms: i64,
) -> Result<()> {
    let content = encode(id, image, now_ms)?;
    file::replace(disk, &id.path(folder), &content)?;
    for older in all(disk, folder)?.into_iter().filter(|other| *other < id) {
        let path = older.path(folder);
        disk.remove_file(&path).map_err(BrokerError::io(path))?;
    }
    Ok(())
}

fn encode(id: SnapshotId, image: &MetadataImage, now_ms: i64) -> Result<BytesMut> {
    let mut content = BytesMut::new();
    let mut offset = 0;
    let mut put = |records: Records| -> Result<()> {
        let header = BatchHeader {
            base_offset: offset,
            leader_epoch: id.epoch,
            ..BatchHeader::of_broker(now_ms)
        };
        let batch = records.into_batch(header)?;
        offset = batch.header.next_offset();
        content.put_slice(&batch.bytes);
        Ok(())
    };
    let header = SnapshotHeaderRecord::default().with_last_contained_log_timestamp(now_ms);
    let mut first = Records::control();
    first.push_message(HEADER, &header)?;
    let quorum = &image.quorum;
    for (kind, value) in [(KRAFT_VERSION, &quorum.version), (KRAFT_VOTERS, &quorum.voters)] {
        if let Some(value) = value {
            first.push_control(kind, value);
        }
    }
    put(first)?;
    for some in records_of(image).chunks(BATCH) {
        let mut records = Records::default();
        for record in some {
            records.push(record)?;
        }
        put(records)?;
    }
    let mut last = Records::control();
    last.push_message(FOOTER, &SnapshotFooterRecord::default())?;
    put(last)?;
    Ok(content)
}

/// Records for one batch of the metadata log or a snapshot of it.
#[derive(Debug, Default)]
pub(super) struct Records {
    builder: BatchBuilder,
    control: bool,
}

impl Records {
    /// For control records.
    pub(super) fn control() -> Self {
        Records {
            control: true,
            ..Records::default()
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When its version has no place for what it says.
    pub(super) fn push(&mut self, record: &MetadataRecord) -> Result<()> {
        let value = encode_record(record).map_err(|error| unwritable(&error))?;
        self.builder.push(None, Some(&value));
        Ok(())
    }

    /// Adds a control record. Its key is a version and its type.
    fn push_control(&mut self, kind: i16, value: &[u8]) {
        let mut key = [0; 4];
        key[2..].copy_from_slice(&kind.to_be_bytes());
        self.builder.push(Some(&key), Some(value));
    }

    /// Adds a control record.
    ///
    /// # Errors
    /// When the codec cannot encode it.
    pub(super) fn push_message<T: Encodable>(&mut self, kind: i16, message: &T) -> Result<()> {
        let mut value = BytesMut::new();
        message
            .encode(&mut value, 0)
            .map_err(|error| unwritable(&error))?;
        self.push_control(kind, &value);
        Ok(())
    }

    /// The batch of them.
    ///
    /// # Errors
    /// Without a record, or over 2 GiB.
    pub(super) fn into_batch(self, mut header: BatchHeader) -> Result<Batch> {
        if self.control {
            header.set_control();
        }
        self.builder.build(header)
    }
}

fn unwritable(error: &dyn std::fmt::Display) -> BrokerError {
    BrokerError::Config(format!("a record of the metadata cannot be written: {error}"))
}

/// Records that add up to the image.
fn records_of(image: &MetadataImage) -> Vec<MetadataRecord> {
    let features = image.features.iter().map(|(name, level)| {
        MetadataRecord::FeatureLevel(FeatureLevelRecord {
            name: name.clone(),
            feature_level: *level,
        })
    });
    let controllers = image
        .controllers
        .values()
        .cloned()
        .map(MetadataRecord::RegisterController);
    let brokers = image.brokers.values().map(registration);
    let topics = image
        .topics
        .values()
        .flat_map(|topic| topic_records(image, topic));
    let configs = image.configs.iter().flat_map(|(resource, settings)| {
        let (resource_type, resource_name) = resource.kind_and_name();
        settings.iter().map(move |(name, value)| {
            MetadataRecord::Config(ConfigRecord {
                resource_type,
                resource_name: resource_name.clone(),
                name: name.clone(),
                value: Some(value.clone()),
            })
        })
    });
    let producer_ids = MetadataRecord::ProducerIds(ProducerIdsRecord {
        broker_id: -1,
        broker_epoch: -1,
        next_producer_id: image.next_producer_id,
    });
    features
        .chain(controllers)
        .chain(brokers)
        .chain(topics)
        .chain(configs)
        .chain([producer_ids])
        .collect()
}

fn registration(broker: &BrokerImage) -> MetadataRecord {
    MetadataRecord::RegisterBroker(RegisterBrokerRecord {
        broker_id: broker.id,
        incarnation_id: broker.incarnation_id,
        broker_epoch: broker.epoch,
        end_points: broker.end_points.clone(),
        features: broker.features.clone(),
        rack: broker.rack.clone(),
        fenced: broker.fenced,
        in_controlled_shutdown: broker.in_controlled_shutdown,
        log_dirs: broker.log_dirs.clone(),
        ..RegisterBrokerRecord::default()
    })
}

fn topic_records(image: &MetadataImage, topic: &TopicImage) -> Vec<MetadataRecord> {
    let directory = |id: &i32| {
        let broker = image.brokers.get(id);
        broker
            .and_then(|broker| broker.log_dirs.first().copied())
            .unwrap_or_default()
    };
    let some = |replicas: &Vec<i32>| (!replicas.is_empty()).then(|| replicas.clone());
    let partitions = (0..).zip(&topic.partitions).map(|(index, partition)| {
        MetadataRecord::Partition(PartitionRecord {
            partition_id: index,
            topic_id: topic.id,
            replicas: partition.replicas.clone(),
            isr: partition.isr.clone(),
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            partition_epoch: partition.partition_epoch,
            directories: partition.replicas.iter().map(directory).collect(),
            adding_replicas: partition.adding.clone(),
            removing_replicas: partition.removing.clone(),
            eligible_leader_replicas: some(&partition.eligible),
            last_known_elr: some(&partition.last_eligible),
            ..PartitionRecord::default()
        })
    });
    let topic_record = MetadataRecord::Topic(TopicRecord {
        name: topic.name.clone(),
        topic_id: topic.id,
    });
    std::iter::once(topic_record).chain(partitions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::metadata::{PartitionImage, replay_snapshot};
    use crate::broker::records::metadata::{EndPoint, FeatureRange, RegisterControllerRecord};
    use crate::broker::world::disk::refusing::{Refused, Refusing};
    use std::sync::Arc;
    use uuid::Uuid;

    /// What only Apache Kafka writes, beside what this broker writes itself.
    fn image() -> MetadataImage {
        let mut image = MetadataImage {
            offset: 99,
            ..MetadataImage::default()
        };
        image.features = [("metadata.version", 33), ("group.version", 1)]
            .map(|(name, level)| (name.to_owned(), level))
            .into();
        image.quorum.version = Some(Bytes::from_static(b"\0\0\0\x01\0"));
        image.quorum.voters = Some(Bytes::from_static(b"\0\0\x01\0"));
        image.controllers.insert(
            9,
            RegisterControllerRecord {
                controller_id: 9,
                incarnation_id: Uuid::from_u128(9),
                ..RegisterControllerRecord::default()
            },
        );
        let range = FeatureRange {
            name: "group.version".into(),
            min_supported_version: 0,
            max_supported_version: 1,
        };
        let end_point = EndPoint {
            name: "PLAINTEXT".into(),
            host: "here".into(),
            port: 9092,
            security_protocol: 0,
        };
        let broker = MetadataRecord::RegisterBroker(RegisterBrokerRecord {
            broker_id: 1,
            broker_epoch: 7,
            end_points: vec![end_point],
            features: vec![range],
            log_dirs: vec![Uuid::from_u128(3)],
            ..RegisterBrokerRecord::default()
        });
        image.apply(99, &broker).unwrap();
        let topic = TopicImage {
            id: Uuid::from_u128(5),
            name: "t".into(),
            partitions: vec![PartitionImage {
                replicas: vec![1],
                leader: -1,
                eligible: vec![1],
                last_eligible: vec![1],
                ..PartitionImage::default()
            }],
        };
        image.topic_names.insert(topic.id, "t".into());
        image.topics.insert("t".into(), Arc::new(topic));
        image
    }

    #[test]
    fn a_snapshot_holds_all_that_the_image_does() {
        let image = image();
        let id = SnapshotId {
            end_offset: 100,
            epoch: 2,
        };
        let content = encode(id, &image, 1).unwrap().freeze();
        let mut read = MetadataImage::default();
        replay_snapshot(content, 100, &mut read).unwrap();
        assert_eq!(format!("{read:?}"), format!("{image:?}"));
    }

    #[test]
    fn a_snapshot_is_there_as_a_whole_or_not_at_all_and_the_older_one_until_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let id = |end_offset| SnapshotId { end_offset, epoch: 2 };
        write(&Disk::files(), folder.path(), id(100), &image(), 1).unwrap();
        for step in [Refused::Write, Refused::Sync, Refused::Rename] {
            let refusing = Refusing::new(folder.path(), step);
            write(&Disk::files(), folder.path(), id(200), &image(), 1).unwrap_err();
            drop(refusing);
            assert_eq!(all(&Disk::files(), folder.path()).unwrap(), [id(100)], "{step:?}");
        }
        let read = read(&Disk::files(), folder.path(), id(100), 0, i32::MAX).unwrap();
        replay_snapshot(read.bytes, 100, &mut MetadataImage::default()).unwrap();
        write(&Disk::files(), folder.path(), id(200), &image(), 1).unwrap();
        assert_eq!(all(&Disk::files(), folder.path()).unwrap(), [id(200)]);
    }
}
