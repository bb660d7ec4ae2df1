//! What a broker's clean stop leaves behind, and tells at the next start (KIP-966).

use super::fake_controller::{FakeController, batch, broker_of, registered};
use crate::support::broker::TestBroker;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use velodrome::broker::records::metadata::{FeatureLevelRecord, MetadataRecord};
use velodrome::broker::{Node, NodeConfig, RunningNode};
use velodrome::clock::Clock;

fn mark(log_dir: &Path) -> Option<String> {
    std::fs::read_to_string(log_dir.join(".kafka_cleanshutdown")).ok()
}

#[tokio::test]
async fn a_clean_stop_is_marked_as_kafka_marks_it_with_the_epoch_of_the_registration() {
    let mut broker = TestBroker::start().await;
    let log_dir = broker.log_dir().to_owned();
    for _ in 0..2 {
        assert_eq!(mark(&log_dir), None, "while it runs there is none");
        let node = broker.running().node();
        let epoch = node.metadata.load().brokers[&node.config.node_id].epoch;
        broker.stop().await;
        let content = format!("{{\"version\":0,\"brokerEpoch\":{epoch}}}");
        assert_eq!(mark(&log_dir), Some(content));
        broker.start_again().await;
    }
    broker.kill().await;
    assert_eq!(mark(&log_dir), None, "nor after a crash");
}

async fn broker() -> (TempDir, NodeConfig, Arc<FakeController>) {
    let version = MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: "metadata.version".into(),
        feature_level: 33,
    });
    let log = batch(0, &[version, registered()]);
    broker_of([log.clone(), log]).await
}

async fn start(config: &NodeConfig) -> RunningNode {
    Node::start(config.clone(), Clock::system()).await.unwrap()
}

#[tokio::test]
async fn after_a_clean_stop_the_controller_is_told_the_epoch_before_and_after_a_crash_it_is_not() {
    let (_folder, config, controller) = broker().await;
    start(&config).await.shutdown().await;
    start(&config).await.kill().await;
    start(&config).await.kill().await;
    assert_eq!(*controller.previous_epochs.lock().unwrap(), [-1, 1, -1]);
}

#[tokio::test]
async fn the_mark_of_apache_kafka_is_read() {
    let (folder, config, controller) = broker().await;
    for (content, epoch) in [
        ("{\"version\":0,\"brokerEpoch\":41}", 41),
        ("{\"brokerEpoch\": 42, \"later\": {}}", 42),
        // Of an older Kafka, which says nothing.
        ("", -1),
        ("{\"version\":0}", -1),
    ] {
        std::fs::write(folder.path().join(".kafka_cleanshutdown"), content).unwrap();
        start(&config).await.kill().await;
        assert_eq!(
            controller.previous_epochs.lock().unwrap().last(),
            Some(&epoch),
            "{content}"
        );
    }
}
