//! In which version a record is written.

use super::MetadataRecord;
use crate::broker::records::RecordError;
use bytes::Bytes;

/// The record's value in the log, in the version that `metadata.version` 30 asks for (that of Kafka 4.3); eligible leader
/// replicas alone ask for a newer one (KIP-966).
///
/// # Errors
/// [`RecordError::CannotHold`] when the version has no place for what the record says.
pub fn encode(record: &MetadataRecord) -> Result<Bytes, RecordError> {
    let version = match record {
        MetadataRecord::RegisterBroker(_) => 3,
        MetadataRecord::Partition(partition) => {
            let eligible = [&partition.eligible_leader_replicas, &partition.last_known_elr];
            if eligible.iter().any(|replicas| replicas.is_some()) {
                2
            } else {
                1
            }
        }
        MetadataRecord::PartitionChange(change) => {
            let eligible = [&change.eligible_leader_replicas, &change.last_known_elr];
            if eligible.iter().any(|replicas| replicas.is_some()) {
                2
            } else {
                0
            }
        }
        MetadataRecord::BrokerRegistrationChange(_) => 1,
        _ => 0,
    };
    record.encode(version)
}
