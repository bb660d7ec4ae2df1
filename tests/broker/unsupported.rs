//! Metadata that this broker does not act on: a folder that holds some is refused as it lies there, and a controller that
//! sends some is not followed any further.

use super::fake_controller::{batch, broker_of, registered};
use crate::support::broker::TestBroker;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use velodrome::broker::Node;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};
use velodrome::broker::error::BrokerError;
use velodrome::broker::records::metadata::{AccessControlEntryRecord, FeatureLevelRecord, MetadataRecord};
use velodrome::clock::Clock;

fn access_right() -> MetadataRecord {
    MetadataRecord::AccessControlEntry(AccessControlEntryRecord::default())
}

/// Every file below a folder but the lock, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                found.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Stops a node, lets `add` change its metadata log, and starts it again; returns why that is refused.
async fn refused_after(add: impl FnOnce(&Path)) -> BrokerError {
    let mut broker = TestBroker::start().await;
    let log_dir = broker.log_dir().to_owned();
    broker.stop().await;
    add(&log_dir.join("__cluster_metadata-0"));
    let before = files(&log_dir);
    let refused = Node::start(broker.config(), Clock::system()).await.err().unwrap();
    let after = files(&log_dir);
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "a file was changed");
    refused
}

fn append(folder: &Path, batch: impl FnOnce(i64) -> Bytes) {
    let log = folder.join("00000000000000000000.log");
    let mut content = std::fs::read(&log).unwrap();
    let batches = velodrome::broker::batch::intact(content.clone().into()).unwrap();
    let end = batches.last().unwrap().header.next_offset();
    content.extend(&batch(end));
    std::fs::write(log, content).unwrap();
}

#[tokio::test]
async fn a_folder_with_access_rights_is_refused_and_left_as_it_is() {
    let refused = refused_after(|folder| append(folder, |end| batch(end, &[access_right()]))).await;
    assert!(matches!(refused, BrokerError::Unsupported(_)), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("AccessControlEntryRecord (type 18)"), "{said}");
    assert!(said.contains("written at metadata.version 33"), "{said}");
}

#[tokio::test]
async fn a_snapshot_with_access_rights_is_refused_and_left_as_it_is() {
    let refused = refused_after(|folder| {
        let snapshot = folder.join("00000000000000001000-0000000009.checkpoint");
        std::fs::write(snapshot, batch(0, &[version(33), access_right()])).unwrap();
    })
    .await;
    let said = refused.to_string();
    assert!(said.contains("AccessControlEntryRecord (type 18)"), "{said}");
    assert!(
        said.contains("at offset 999, written at metadata.version 33"),
        "{said}"
    );
}

#[tokio::test]
async fn a_record_of_a_later_version_is_refused_and_left_as_it_is() {
    let refused = refused_after(|folder| {
        append(folder, |end| {
            let mut builder = BatchBuilder::default();
            builder.push(None, Some(b"\x01\x03\x09whatever"));
            let header = BatchHeader {
                base_offset: end,
                leader_epoch: 1,
                ..BatchHeader::of_broker(1)
            };
            builder.build(header).unwrap().bytes
        });
    })
    .await;
    let said = refused.to_string();
    assert!(said.contains("PartitionRecord in version 9"), "{said}");
}

fn version(level: i16) -> MetadataRecord {
    MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: "metadata.version".into(),
        feature_level: level,
    })
}

const WORDS: &str = "the metadata log holds AccessControlEntryRecord (type 18) at offset";

#[tokio::test]
async fn a_broker_does_not_start_on_metadata_that_it_does_not_act_on() {
    let log = batch(0, &[version(33), access_right()]);
    let (_folder, config, _controller) = broker_of([log.clone(), log]).await;
    let refused = Node::start(config, Clock::system()).await.err().unwrap();
    assert!(refused.to_string().starts_with(WORDS), "{refused}");
}

#[tokio::test]
async fn a_broker_ends_when_its_controller_sends_what_it_does_not_act_on() {
    let (first, second) = (
        batch(0, &[version(33), registered()]),
        batch(2, &[access_right()]),
    );
    let (_folder, config, controller) = broker_of([first, second]).await;
    let mut running = Node::start(config, Clock::system()).await.unwrap();
    controller.more.notify_one();
    let why = running.failed().await;
    assert!(why.starts_with(WORDS), "{why}");
    assert!(
        why.contains("at offset 2, written at metadata.version 33"),
        "{why}"
    );
    assert_eq!(
        running.node().metadata.load().offset,
        1,
        "the image is the one before it"
    );
    running.kill().await;
}
