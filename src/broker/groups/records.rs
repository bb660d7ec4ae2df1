//! The records that this coordinator writes to `__consumer_offsets`.

use crate::broker::records::offsets::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue, OffsetsRecord,
};
use crate::broker::records::{KeyAndValue, RecordError};

/// A committed offset.
pub fn offset(group: &str, topic: &str, partition: i32, value: OffsetCommitValue) -> OffsetsRecord {
    OffsetsRecord::OffsetCommit(offset_key(group, topic, partition), Some(value))
}

/// The end of a committed offset.
pub fn offset_tombstone(group: &str, topic: &str, partition: i32) -> OffsetsRecord {
    OffsetsRecord::OffsetCommit(offset_key(group, topic, partition), None)
}

/// A group.
pub fn group(group: &str, value: GroupMetadataValue) -> OffsetsRecord {
    OffsetsRecord::GroupMetadata(group_key(group), Some(value))
}

/// The end of a group.
pub fn group_tombstone(group: &str) -> OffsetsRecord {
    OffsetsRecord::GroupMetadata(group_key(group), None)
}

fn offset_key(group: &str, topic: &str, partition: i32) -> OffsetCommitKey {
    OffsetCommitKey {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}

fn group_key(group: &str) -> GroupMetadataKey {
    GroupMetadataKey {
        group: group.to_owned(),
    }
}

/// Key and value as Apache Kafka writes them: an offset in version 1 if it has a time of expiry of its own, 4 if the
/// topic's id is known, else 3; a group in version 3.
///
/// # Errors
/// [`RecordError::CannotHold`] for texts that are too long.
pub fn encode(record: &OffsetsRecord) -> Result<KeyAndValue, RecordError> {
    record.encode(match record {
        OffsetsRecord::OffsetCommit(_, Some(value)) if value.expire_timestamp >= 0 => 1,
        OffsetsRecord::OffsetCommit(_, Some(value)) if !value.topic_id.is_nil() => 4,
        _ => 3,
    })
}
