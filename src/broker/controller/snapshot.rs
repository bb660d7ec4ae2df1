//! Snapshots of the metadata (KIP-630): everything the log adds up to, in a file of the log's own format, so that the
//! log before it can go.

use super::SUPPORTED_FEATURES;
use crate::broker::error::{BrokerError, Result};
use crate::broker::metadata::batch::{self, BatchStamp};
use crate::broker::metadata::record::{FeatureRange, NewPartition, RegisterBroker};
use crate::broker::metadata::{BrokerImage, MetadataImage, MetadataRecord, TopicImage};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SnapshotFooterRecord, SnapshotHeaderRecord};
use kafka_protocol::protocol::Encodable;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
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
fn all(folder: &Path) -> Result<Vec<SnapshotId>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(BrokerError::io(folder))? {
        let path = entry.map_err(BrokerError::io(folder))?.path();
        found.extend(SnapshotId::parse(&path));
    }
    found.sort_unstable();
    Ok(found)
}

/// The newest snapshot of a folder, if there is one.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn newest(folder: &Path) -> Result<Option<SnapshotId>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    Ok(all(folder)?.pop())
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
    folder: &Path,
    id: SnapshotId,
    position: i64,
    max_bytes: i32,
) -> Result<SnapshotPiece, ResponseError> {
    let mut file = File::open(id.path(folder)).map_err(|_| ResponseError::SnapshotNotFound)?;
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "cannot read a snapshot of the metadata");
        ResponseError::KafkaStorageError
    };
    let size = file.metadata().map_err(failed)?.len();
    let position = u64::try_from(position)
        .ok()
        .filter(|position| *position < size)
        .ok_or(ResponseError::PositionOutOfRange)?;
    file.seek(SeekFrom::Start(position)).map_err(failed)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(0).clamp(1, LARGEST_PIECE);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(SnapshotPiece {
        bytes: bytes.into(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
    })
}

/// Writes a snapshot and removes older ones. It has its name only when it is whole and on the disk.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(folder: &Path, id: SnapshotId, image: &MetadataImage, now_ms: i64) -> Result<()> {
    let path = id.path(folder);
    let part = path.with_extension("checkpoint.part");
    let content = encode(id, image, now_ms)?;
    let save = || -> std::io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(&part, &path)
    };
    save().map_err(BrokerError::io(&path))?;
    for older in all(folder)?.into_iter().filter(|other| *other < id) {
        let path = older.path(folder);
        fs::remove_file(&path).map_err(BrokerError::io(path))?;
    }
    Ok(())
}

fn encode(id: SnapshotId, image: &MetadataImage, now_ms: i64) -> Result<BytesMut> {
    let mut content = BytesMut::new();
    let mut offset = 0;
    let mut put = |control: bool, records: &[(Option<Bytes>, Bytes)]| {
        let stamp = BatchStamp {
            base_offset: offset,
            leader_epoch: id.epoch,
            timestamp: now_ms,
            control,
        };
        content.put_slice(&batch::encode(stamp, records));
        offset += i64::try_from(records.len()).unwrap_or(0);
    };
    let header = SnapshotHeaderRecord::default().with_last_contained_log_timestamp(now_ms);
    put(true, &[control_record(HEADER, &header)?]);
    let values: Vec<_> = records_of(image)
        .iter()
        .map(|record| (None, record.encode()))
        .collect();
    for some in values.chunks(BATCH) {
        put(false, some);
    }
    put(true, &[control_record(FOOTER, &SnapshotFooterRecord::default())?]);
    Ok(content)
}

/// Key and value of a control record.
///
/// # Errors
/// When the codec cannot encode it.
pub(super) fn control_record<T: Encodable>(kind: i16, message: &T) -> Result<(Option<Bytes>, Bytes)> {
    let mut key = BytesMut::new();
    key.put_i16(0);
    key.put_i16(kind);
    let mut value = BytesMut::new();
    message
        .encode(&mut value, 0)
        .map_err(|error| BrokerError::Config(format!("cannot write a control record: {error}")))?;
    Ok((Some(key.freeze()), value.freeze()))
}

/// Applies a snapshot's bytes to an empty image.
///
/// # Errors
/// [`BrokerError::Config`] when they are no snapshot.
pub(crate) fn apply(bytes: Bytes, end_offset: i64, image: &mut MetadataImage) -> Result<()> {
    let unreadable = |error: &dyn std::fmt::Display| {
        BrokerError::Config(format!("a snapshot of the metadata cannot be read: {error}"))
    };
    for read in batch::decode(bytes).map_err(|error| unreadable(&error))? {
        if read.control {
            continue;
        }
        if let Some(record) = MetadataRecord::decode(read.value).map_err(|error| unreadable(&error))? {
            image.apply(end_offset - 1, &record);
        }
    }
    image.offset = end_offset - 1;
    Ok(())
}

/// Records that add up to the image.
fn records_of(image: &MetadataImage) -> Vec<MetadataRecord> {
    let features = image
        .features
        .iter()
        .map(|(name, level)| MetadataRecord::FeatureLevel {
            name: name.clone(),
            level: *level,
        });
    let brokers = image.brokers.values().map(registration);
    let topics = image
        .topics
        .values()
        .flat_map(|topic| topic_records(image, topic));
    let configs = image.configs.iter().flat_map(|(resource, settings)| {
        let (resource_type, resource_name) = resource.kind_and_name();
        settings.iter().map(move |(name, value)| MetadataRecord::Config {
            resource_type,
            resource_name: resource_name.clone(),
            name: name.clone(),
            value: Some(value.clone()),
        })
    });
    let producer_ids = MetadataRecord::ProducerIds {
        broker_id: -1,
        broker_epoch: -1,
        next_producer_id: image.next_producer_id,
    };
    features
        .chain(brokers)
        .chain(topics)
        .chain(configs)
        .chain([producer_ids])
        .collect()
}

fn registration(broker: &BrokerImage) -> MetadataRecord {
    let features = SUPPORTED_FEATURES.iter().map(|(name, min, max)| FeatureRange {
        name: (*name).to_owned(),
        min: *min,
        max: *max,
    });
    MetadataRecord::RegisterBroker(RegisterBroker {
        broker_id: broker.id,
        incarnation_id: broker.incarnation_id,
        broker_epoch: broker.epoch,
        end_points: broker.end_points.clone(),
        features: features.collect(),
        rack: broker.rack.clone(),
        fenced: broker.fenced,
        in_controlled_shutdown: broker.in_controlled_shutdown,
        log_dirs: broker.log_dirs.clone(),
    })
}

fn topic_records(image: &MetadataImage, topic: &TopicImage) -> Vec<MetadataRecord> {
    let directory = |id: &i32| {
        let broker = image.brokers.get(id);
        broker
            .and_then(|broker| broker.log_dirs.first().copied())
            .unwrap_or_default()
    };
    let partitions = (0..).zip(&topic.partitions).map(|(index, partition)| {
        MetadataRecord::Partition(NewPartition {
            partition_id: index,
            topic_id: topic.id,
            replicas: partition.replicas.clone(),
            isr: partition.isr.clone(),
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            partition_epoch: partition.partition_epoch,
            directories: partition.replicas.iter().map(directory).collect(),
        })
    });
    let topic_record = MetadataRecord::Topic {
        name: topic.name.clone(),
        topic_id: topic.id,
    };
    std::iter::once(topic_record).chain(partitions).collect()
}
