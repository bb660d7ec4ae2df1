//! How a broker joins its cluster.

use super::fake_controller::{batch, broker_of, registration};
use std::time::Duration;
use tokio::time::timeout;
use velodrome::broker::Node;
use velodrome::broker::records::metadata::{FeatureLevelRecord, MetadataRecord};
use velodrome::clock::Clock;

/// For all that a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A controller may fence a broker again before it has seen that it might serve: only who goes on telling that he lives is
/// let in another time.
#[tokio::test]
async fn who_is_not_let_in_yet_goes_on_telling_that_it_lives() {
    let version = MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: "metadata.version".into(),
        feature_level: 33,
    });
    let [first, second] = [
        batch(0, &[version, registration(true)]),
        batch(2, &[registration(false)]),
    ];
    let (_folder, config, controller) = broker_of([first, second]).await;
    let starting = tokio::spawn(Node::start(config, Clock::system()));
    let mut heard = controller.heartbeats.subscribe();
    timeout(PATIENCE, heard.wait_for(|heard| *heard >= 3))
        .await
        .expect("it speaks once and no more")
        .unwrap();
    assert!(!starting.is_finished());
    controller.more.notify_one();
    let running = timeout(PATIENCE, starting).await.expect("it never serves");
    running.unwrap().unwrap().kill().await;
}
