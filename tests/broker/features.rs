//! Levels of the cluster's features, changed while it runs.

use crate::support::broker::TestBroker;
use crate::support::configs::text;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{ApiVersionsRequest, UpdateFeaturesRequest, UpdateFeaturesResponse};

const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;

/// The level of `transaction.version` that clients are told; nothing at 0.
async fn told(broker: &TestBroker) -> Option<i16> {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("test"))
        .with_client_software_version(text("1"));
    let answer = broker.ask(request, 4).await;
    let mut finalized = answer.finalized_features.iter();
    let found = finalized.find(|feature| feature.name.as_str() == "transaction.version");
    found.map(|feature| feature.max_version_level)
}

async fn ask(broker: &TestBroker, level: i16, change: i8, version: i16) -> UpdateFeaturesResponse {
    let update = FeatureUpdateKey::default()
        .with_feature(text("transaction.version"))
        .with_max_version_level(level)
        .with_upgrade_type(change);
    let request = UpdateFeaturesRequest::default().with_feature_updates(vec![update]);
    broker.ask(request, version).await
}

#[tokio::test]
async fn the_protocol_of_transactions_changes_while_the_cluster_runs_and_stays_over_a_restart() {
    let mut broker = TestBroker::start().await;
    assert_eq!(told(&broker).await, Some(2));
    let down = ask(&broker, 0, SAFE_DOWNGRADE, 1).await;
    assert_eq!((down.error_code, down.results.len()), (0, 1));
    assert_eq!(told(&broker).await, None);
    broker.restart().await;
    assert_eq!(told(&broker).await, None);
    let up = ask(&broker, 2, UPGRADE, 2).await;
    assert_eq!((up.error_code, up.results.len()), (0, 0));
    assert_eq!(told(&broker).await, Some(2));
}

#[tokio::test]
async fn what_is_refused_changes_nothing_and_says_why() {
    let broker = TestBroker::start().await;
    let refused = ask(&broker, 1, UPGRADE, 2).await;
    assert_eq!(refused.error_code, 95);
    assert_eq!(
        refused.error_message.unwrap().as_str(),
        "The update failed for all features since the following feature had an error: Invalid update version 1 for \
         feature transaction.version. Can't downgrade the version of this feature without setting the upgrade type to \
         either safe or unsafe downgrade."
    );
    assert_eq!(told(&broker).await, Some(2));
}
