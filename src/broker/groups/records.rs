//! The records that this coordinator writes to `__consumer_offsets`.

use crate::broker::machine::{Encoded, LogRecord};
use crate::broker::records::RecordError;
use crate::broker::records::offsets::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue, OffsetsRecord,
};
use uuid::Uuid;

/// A committed offset. The version that has a time of expiry has room for nothing else that is new.
pub fn offset(group: &str, topic: String, partition: i32, value: OffsetCommitValue) -> OffsetsRecord {
    let key = OffsetCommitKey {
        group: group.to_owned(),
        topic,
        partition,
    };
    let value = match value.expire_timestamp {
        ..0 => value,
        _ => OffsetCommitValue {
            leader_epoch: -1,
            topic_id: Uuid::nil(),
            ..value
        },
    };
    OffsetsRecord::OffsetCommit(key, Some(value))
}

/// The end of a committed offset.
pub fn offset_tombstone(group: &str, topic: &str, partition: i32) -> OffsetsRecord {
    let key = OffsetCommitKey {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    };
    OffsetsRecord::OffsetCommit(key, None)
}

/// A group.
pub fn group(group: &str, value: GroupMetadataValue) -> OffsetsRecord {
    OffsetsRecord::GroupMetadata(group_key(group), Some(value))
}

/// The end of a group.
pub fn group_tombstone(group: &str) -> OffsetsRecord {
    OffsetsRecord::GroupMetadata(group_key(group), None)
}

fn group_key(group: &str) -> GroupMetadataKey {
    GroupMetadataKey {
        group: group.to_owned(),
    }
}

impl LogRecord for OffsetsRecord {
    fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, RecordError> {
        OffsetsRecord::decode(key.unwrap_or_default(), value)
    }

    /// As Apache Kafka writes them: an offset in version 1 if it has a time of expiry of its own, 4 if the topic's id is
    /// known, else 3; a group in version 3.
    fn encode(&self) -> Result<Encoded, RecordError> {
        let version = match self {
            OffsetsRecord::OffsetCommit(_, Some(value)) if value.expire_timestamp >= 0 => 1,
            OffsetsRecord::OffsetCommit(_, Some(value)) if !value.topic_id.is_nil() => 4,
            _ => 3,
        };
        let record = self.encode(version)?;
        Ok((Some(record.key), record.value))
    }
}
