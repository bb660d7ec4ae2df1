//! What is not known, what is cut, and what does not fit; the layouts themselves are judged by the tests that read each
//! record with other readers.

use super::RecordError;
use super::metadata::{MetadataRecord, NoOpRecord, RegisterBrokerRecord, TopicRecord};
use super::offsets::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue, OffsetsRecord,
};
use bytes::Bytes;
use uuid::Uuid;

fn offset_key() -> OffsetCommitKey {
    OffsetCommitKey {
        group: "g".into(),
        topic: "t".into(),
        partition: 1,
    }
}

#[test]
fn an_offset_is_laid_out_as_kafka_lays_it_out() {
    let value = OffsetCommitValue {
        offset: 2,
        leader_epoch: 0,
        commit_timestamp: 0x01a2_0016_ee0f,
        topic_id: Uuid::from_u128(0x7d2a_3fa7_b15a_40fd_8b9e_2659_c446_1703),
        ..OffsetCommitValue::default()
    };
    let record = OffsetsRecord::OffsetCommit(offset_key(), Some(value));
    let encoded = record.encode(4).unwrap();
    assert_eq!(&encoded.key[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x01");
    // A commit of Apache Kafka 4.3.1, byte for byte.
    let expected = b"\0\x04\0\0\0\0\0\0\0\x02\0\0\0\0\x01\0\0\x01\xa2\0\x16\xee\x0f\x01\0\x10\
        \x7d\x2a\x3f\xa7\xb1\x5a\x40\xfd\x8b\x9e\x26\x59\xc4\x46\x17\x03";
    let value = encoded.value.unwrap();
    assert_eq!(value, &expected[..]);
    assert_eq!(OffsetsRecord::decode(&encoded.key, Some(&value)), Ok(record));
}

#[test]
fn unknown_types_versions_and_fields_name_themselves() {
    let said = |value: &[u8]| MetadataRecord::decode(value).unwrap_err().to_string();
    assert_eq!(said(b"\x01\x63\x00"), "a record of type 99");
    assert_eq!(
        said(b"\x01\x12\x03"),
        "AccessControlEntryRecord in version 3 (the newest that is known here is 0)"
    );
    // A NoOpRecord with one tagged field, number 7, of no bytes.
    assert_eq!(
        said(b"\x01\x14\x00\x01\x07\x00"),
        "NoOpRecord in version 0 with a field that is not known here (tag 7)"
    );
    let unknown = OffsetsRecord::decode(b"\0\x63", None);
    assert_eq!(unknown, Err(RecordError::UnknownType(99)));
}

#[test]
fn an_unknown_field_of_a_coordinator_s_value_is_passed_over() {
    let record = OffsetsRecord::OffsetCommit(offset_key(), Some(OffsetCommitValue::default()));
    let encoded = record.encode(4).unwrap();
    let mut value = encoded.value.unwrap().to_vec();
    assert_eq!(value.pop(), Some(0), "the number of tagged fields");
    value.extend_from_slice(b"\x01\x09\x02\xaa\xbb");
    assert_eq!(OffsetsRecord::decode(&encoded.key, Some(&value)), Ok(record));
}

#[test]
fn bytes_cut_short_or_lengths_that_lie_are_an_error_never_a_panic() {
    let member = MemberMetadata {
        subscription: Bytes::from_static(b"sub"),
        ..MemberMetadata::default()
    };
    let value = GroupMetadataValue {
        protocol: Some("range".into()),
        members: vec![member],
        ..GroupMetadataValue::default()
    };
    let key = GroupMetadataKey { group: "g".into() };
    let record = OffsetsRecord::GroupMetadata(key, Some(value));
    for version in 0..=4 {
        let encoded = record.encode(version).unwrap();
        let value = encoded.value.unwrap();
        for length in 0..value.len() {
            assert!(OffsetsRecord::decode(&encoded.key, Some(&value[..length])).is_err());
        }
    }
    // Arrays and texts of two billion, in both encodings.
    assert!(MetadataRecord::decode(b"\x01\x02\x00\xff\xff\xff\xff\x0f").is_err());
    let header = b"\0\x03\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\x7f\xff\xff\xff";
    assert!(OffsetsRecord::decode(b"\0\x02\0\x01g", Some(header)).is_err());
    assert!(MetadataRecord::decode(b"\x01\x14\x00\xff\xff\xff\xff\x0f").is_err());
}

#[test]
fn what_a_version_cannot_hold_is_not_written() {
    let broker = RegisterBrokerRecord {
        log_dirs: vec![Uuid::from_u128(1)],
        ..RegisterBrokerRecord::default()
    };
    let said = MetadataRecord::RegisterBroker(broker).encode(2).unwrap_err();
    assert_eq!(
        said.to_string(),
        "RegisterBrokerRecord in version 2 cannot hold log_dirs"
    );
    let long = OffsetCommitValue {
        metadata: "x".repeat(40_000),
        ..OffsetCommitValue::default()
    };
    let record = OffsetsRecord::OffsetCommit(offset_key(), Some(long));
    assert!(record.encode(3).is_err());
    assert!(record.encode(4).is_ok());
    assert!(MetadataRecord::NoOp(NoOpRecord {}).encode(1).is_err());
}

#[test]
fn something_behind_a_record_of_the_metadata_log_is_an_error() {
    let record = MetadataRecord::Topic(TopicRecord::default());
    let mut value = record.encode(0).unwrap().to_vec();
    assert_eq!(MetadataRecord::decode(&value), Ok((record, 0)));
    value.push(0);
    assert!(MetadataRecord::decode(&value).is_err());
}
