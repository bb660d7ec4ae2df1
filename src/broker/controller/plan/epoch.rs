//! What a controller writes when it begins its epoch.

use super::{Step, View, eligible};
use crate::broker::metadata::{MetadataRecord, resource_type};
use crate::broker::records::metadata::{AbortTransactionRecord, ConfigRecord, FeatureLevelRecord};

/// Features of the cluster and the levels it can do (KIP-584): name, lowest, highest. A new cluster gets the highest.
/// `metadata.version` 33 is that of Kafka 4.4, 30 that of 4.3; between them no record that is written here has changed.
/// `eligible.leader.replicas.version` 1 are those of KIP-966, `transaction.version` 2 is the protocol of KIP-890.
pub const SUPPORTED_FEATURES: &[(&str, i16, i16)] = &[
    ("metadata.version", 30, 33),
    (eligible::FEATURE, 0, 1),
    ("transaction.version", 0, 2),
];

/// Ends a transaction of the metadata (KIP-868) whose controller did not come to its end; begins a new cluster, as Kafka
/// does, with feature levels and with `min.insync.replicas` for all brokers, which is why every topic shows it (KIP-966).
pub fn begin(view: &View<'_>) -> Step<()> {
    let mut records = Vec::new();
    if view.image.transaction.is_some() {
        let reason = Some("the controller that began it is gone".to_owned());
        records.push(MetadataRecord::AbortTransaction(AbortTransactionRecord {
            reason,
        }));
    }
    if view.image.features.is_empty() {
        records.extend(SUPPORTED_FEATURES.iter().map(|(name, _, level)| {
            MetadataRecord::FeatureLevel(FeatureLevelRecord {
                name: (*name).to_owned(),
                feature_level: *level,
            })
        }));
        records.push(least_in_sync_of_all(view));
    }
    Step { records, answer: () }
}

/// The record of `min.insync.replicas` for all brokers, as this node's file has it.
pub(super) fn least_in_sync_of_all(view: &View<'_>) -> MetadataRecord {
    let min_insync = view.config.value("min.insync.replicas").unwrap_or("1");
    MetadataRecord::Config(ConfigRecord {
        resource_type: resource_type::BROKER,
        resource_name: String::new(),
        name: "min.insync.replicas".to_owned(),
        value: Some(min_insync.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;
    use crate::broker::metadata::ConfigResource;
    use crate::broker::records::metadata::{BeginTransactionRecord, ProducerIdsRecord};

    #[test]
    fn a_new_cluster_begins_with_features_and_min_insync_replicas_and_no_other_does() {
        let mut cluster = Cluster::of(&[]).config("min.insync.replicas", "2");
        let step = begin(&cluster.view());
        cluster.replay(step.records);
        assert_eq!(cluster.image().metadata_version(), Some(33));
        assert!(eligible::are_kept(cluster.image()));
        let brokers = &cluster.image().configs[&ConfigResource::Broker(None)];
        assert_eq!(brokers["min.insync.replicas"], "2");
        assert_eq!(begin(&cluster.view()), Step::only(()));
    }

    #[test]
    fn a_transaction_that_was_left_open_is_aborted() {
        let mut cluster = Cluster::of(&[]);
        let first = begin(&cluster.view());
        cluster.replay(first.records);
        let ids = ProducerIdsRecord {
            next_producer_id: 5,
            ..ProducerIdsRecord::default()
        };
        cluster.replay(vec![
            MetadataRecord::BeginTransaction(BeginTransactionRecord::default()),
            MetadataRecord::ProducerIds(ids),
        ]);
        let step = begin(&cluster.view());
        assert_eq!(step.records.len(), 1);
        cluster.replay(step.records);
        assert_eq!(
            (cluster.image().next_producer_id, &cluster.image().transaction),
            (0, &None)
        );
    }
}
