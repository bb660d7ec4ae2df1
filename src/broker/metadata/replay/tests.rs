use super::*;
use crate::broker::batch::{BatchBuilder, BatchHeader};
use crate::broker::records::metadata::*;
use uuid::Uuid;

const TOPIC: Uuid = Uuid::from_u128(5);

/// One batch of these values.
fn batch(first_offset: i64, values: &[Bytes]) -> Bytes {
    let mut builder = BatchBuilder::default();
    for value in values {
        builder.push(None, Some(value));
    }
    let header = BatchHeader {
        base_offset: first_offset,
        ..BatchHeader::of_broker(1)
    };
    builder.build(header).unwrap().bytes
}

fn encoded(records: &[MetadataRecord]) -> Vec<Bytes> {
    let newest = |record: &MetadataRecord| match record {
        MetadataRecord::Partition(_) | MetadataRecord::PartitionChange(_) => 2,
        MetadataRecord::RegisterBroker(_) => 4,
        _ => 0,
    };
    records
        .iter()
        .map(|record| record.encode(newest(record)).unwrap())
        .collect()
}

/// The image of a log of `metadata.version` 33 and these records.
fn image_of(records: &[MetadataRecord]) -> Result<MetadataImage> {
    let mut image = MetadataImage::default();
    let version = MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: "metadata.version".into(),
        feature_level: 33,
    });
    replay_batches(batch(0, &encoded(&[version])), &mut image)?;
    replay_batches(batch(1, &encoded(records)), &mut image)?;
    Ok(image)
}

fn topic() -> [MetadataRecord; 2] {
    [
        MetadataRecord::Topic(TopicRecord {
            name: "t".into(),
            topic_id: TOPIC,
        }),
        MetadataRecord::Partition(PartitionRecord {
            partition_id: 0,
            topic_id: TOPIC,
            replicas: vec![1, 2],
            isr: vec![1],
            leader: 1,
            ..PartitionRecord::default()
        }),
    ]
}

fn change(change: PartitionChangeRecord) -> MetadataRecord {
    MetadataRecord::PartitionChange(PartitionChangeRecord {
        partition_id: 0,
        topic_id: TOPIC,
        ..change
    })
}

#[test]
fn what_would_be_lost_ends_the_reading_by_its_name_and_metadata_version() {
    let config = ConfigRecord {
        resource_type: resource_type_of_client_metrics(),
        resource_name: "m".into(),
        name: "metrics".into(),
        value: Some("".into()),
    };
    let migration = ZkMigrationStateRecord {
        zk_migration_state: 2,
    };
    for (record, named) in [
        (
            MetadataRecord::AccessControlEntry(Default::default()),
            "AccessControlEntryRecord (type 18)",
        ),
        (
            MetadataRecord::RemoveAccessControlEntry(Default::default()),
            "RemoveAccessControlEntryRecord (type 19)",
        ),
        (
            MetadataRecord::UserScramCredential(Default::default()),
            "UserScramCredentialRecord (type 11)",
        ),
        (
            MetadataRecord::RemoveUserScramCredential(Default::default()),
            "RemoveUserScramCredentialRecord (type 22)",
        ),
        (
            MetadataRecord::ClientQuota(Default::default()),
            "ClientQuotaRecord (type 14)",
        ),
        (
            MetadataRecord::DelegationToken(Default::default()),
            "DelegationTokenRecord (type 10)",
        ),
        (
            MetadataRecord::RemoveDelegationToken(Default::default()),
            "RemoveDelegationTokenRecord (type 26)",
        ),
        (
            MetadataRecord::ZkMigrationState(migration),
            "ZkMigrationStateRecord (type 21)",
        ),
        (
            MetadataRecord::Config(config),
            "ConfigRecord (type 4) of a resource of type 16 named m",
        ),
    ] {
        let refused = image_of(&[record]).unwrap_err();
        assert!(matches!(refused, BrokerError::Unsupported(_)), "{refused:?}");
        let said = refused.to_string();
        assert!(said.contains(named), "{said}");
        assert!(
            said.contains("at offset 1, written at metadata.version 33"),
            "{said}"
        );
    }
}

fn resource_type_of_client_metrics() -> i8 {
    crate::broker::metadata::resource_type::CLIENT_METRICS
}

#[test]
fn types_versions_and_fields_of_later_times_end_the_reading_too() {
    for (value, named) in [
        (&b"\x01\x63\x00"[..], "a record of type 99"),
        (b"\x01\x03\x09", "PartitionRecord in version 9"),
        (
            b"\x01\x14\x00\x01\x07\x00",
            "NoOpRecord in version 0 with a field that is not known here (tag 7)",
        ),
    ] {
        let mut image = MetadataImage::default();
        let refused = replay_batches(batch(0, &[Bytes::from_static(value)]), &mut image).unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, BrokerError::Unsupported(_)), "{said}");
        assert!(said.contains(named), "{said}");
        assert_eq!(image.offset, -1, "what comes before it counts, it does not");
        let snapshot = replay_snapshot(batch(0, &[Bytes::from_static(value)]), 9, &mut image);
        assert_eq!(
            snapshot.unwrap_err().to_string(),
            said.replace("offset 0", "offset 8")
        );
    }
}

#[test]
fn what_only_passed_by_does_not_matter() {
    let [topic, partition] = topic();
    let moving = change(PartitionChangeRecord {
        adding_replicas: Some(vec![3]),
        ..PartitionChangeRecord::default()
    });
    let refused = image_of(&[topic.clone(), partition.clone(), moving.clone()]).unwrap();
    let said = refused.check_supported().unwrap_err().to_string();
    assert!(
        said.contains("PartitionRecord (type 3) of t-0 with a reassignment under way"),
        "{said}"
    );
    let moved = change(PartitionChangeRecord {
        adding_replicas: Some(vec![]),
        replicas: Some(vec![3]),
        isr: Some(vec![3]),
        leader: 3,
        ..PartitionChangeRecord::default()
    });
    let image = image_of(&[topic, partition, moving, moved]).unwrap();
    assert_eq!(image.check_supported(), Ok(()));
    let cordoned = RegisterBrokerRecord {
        broker_id: 4,
        cordoned_log_dirs: Some(vec![Uuid::from_u128(1)]),
        ..RegisterBrokerRecord::default()
    };
    let image = image_of(&[MetadataRecord::RegisterBroker(cordoned)]).unwrap();
    let said = image.check_supported().unwrap_err().to_string();
    assert!(
        said.contains("RegisterBrokerRecord (type 0) of broker 4 with cordonedLogDirs"),
        "{said}"
    );
}

#[test]
fn records_of_a_transaction_count_when_it_ends_and_not_when_it_is_aborted() {
    let [topic, partition] = topic();
    let begin = MetadataRecord::BeginTransaction(BeginTransactionRecord::default());
    let begun = image_of(&[begin.clone(), topic.clone()]).unwrap();
    assert!(begun.topics.is_empty() && begun.transaction.is_some());
    assert_eq!(begun.offset, 2);
    let end = MetadataRecord::EndTransaction(EndTransactionRecord {});
    let ended = image_of(&[begin.clone(), topic.clone(), partition, end]).unwrap();
    assert_eq!(ended.partition("t", 0).map(|partition| partition.leader), Some(1));
    let abort = MetadataRecord::AbortTransaction(AbortTransactionRecord::default());
    let aborted = image_of(&[begin, topic, abort]).unwrap();
    assert!(aborted.topics.is_empty() && aborted.transaction.is_none());
}

#[test]
fn eligible_leader_replicas_are_kept_until_a_record_says_otherwise() {
    let [topic, partition] = topic();
    let stopped = change(PartitionChangeRecord {
        isr: Some(vec![]),
        leader: -1,
        eligible_leader_replicas: Some(vec![1]),
        last_known_elr: Some(vec![1]),
        ..PartitionChangeRecord::default()
    });
    let mut image = image_of(&[topic, partition, stopped]).unwrap();
    let partition = image.partition("t", 0).unwrap();
    assert_eq!(
        (partition.eligible.as_slice(), partition.isr.as_slice()),
        (&[1][..], &[][..])
    );
    let led = change(PartitionChangeRecord {
        isr: Some(vec![1]),
        leader: 1,
        eligible_leader_replicas: Some(vec![]),
        last_known_elr: Some(vec![]),
        ..PartitionChangeRecord::default()
    });
    image.apply(9, &led).unwrap();
    let partition = image.partition("t", 0).unwrap();
    assert_eq!((partition.eligible.len(), partition.last_eligible.len()), (0, 0));
    assert_eq!((partition.leader, partition.isr.as_slice()), (1, &[1][..]));
}

#[test]
fn batches_that_are_bent_or_cut_are_no_metadata() {
    let bytes = batch(0, &encoded(&topic()));
    let mut bent = bytes.to_vec();
    bent[70] ^= 1;
    for bytes in [bytes.slice(..bytes.len() - 1), bent.into()] {
        let refused = replay_batches(bytes, &mut MetadataImage::default()).unwrap_err();
        assert!(matches!(refused, BrokerError::Config(_)), "{refused:?}");
    }
}
