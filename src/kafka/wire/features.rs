//! The features of a cluster: what ApiVersions tells of them, and UpdateFeatures (KIP-584, KIP-778).

use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use kafka_protocol::messages::UpdateFeaturesRequest;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use std::collections::BTreeMap;

/// How long the cluster may take to agree, in ms; Java's default.
const AGREEMENT_MS: i32 = 60_000;

/// From one level of a feature to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureRange {
    /// The lowest level.
    pub min: i16,
    /// The highest level.
    pub max: i16,
}

/// Which way levels may go; as the protocol numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureChange {
    /// Up only.
    Upgrade = 1,
    /// Down, if nothing is lost.
    SafeDowngrade = 2,
    /// Down, whatever is lost.
    UnsafeDowngrade = 3,
}

/// What a node can do, and what the cluster has agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// What the node can do, by the features' names.
    pub supported: BTreeMap<String, FeatureRange>,
    /// What the cluster has agreed on, by the features' names.
    pub finalized: BTreeMap<String, FeatureRange>,
    /// How new that agreement is, if there is one.
    pub epoch: Option<i64>,
}

impl Wire {
    /// Asks for new levels of features; with `validate_only`, whether they could be had. Each feature has its own answer.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses all together.
    pub fn update_features(
        &mut self,
        levels: &[(String, i16)],
        change: FeatureChange,
        validate_only: bool,
    ) -> Answer<Vec<Answer>> {
        let updates = levels.iter().map(|(name, level)| {
            FeatureUpdateKey::default()
                .with_feature(text(name))
                .with_max_version_level(*level)
                .with_upgrade_type(change as i8)
        });
        let request = UpdateFeaturesRequest::default()
            .with_timeout_ms(AGREEMENT_MS)
            .with_feature_updates(updates.collect())
            .with_validate_only(validate_only);
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)?;
        let of = |name: &str| {
            let mut results = answer.results.iter();
            // Newer clusters name none when all went well (KIP-1022).
            let told = results.find(|told| told.feature.as_str() == name);
            told.map_or(Ok(()), |told| check(told.error_code, told.error_message.clone()))
        };
        Ok(levels.iter().map(|(name, _)| of(name)).collect())
    }

    /// The features as one node tells them: `node`, or without it any broker, or the active controller.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn features(&mut self, node: Option<i32>) -> Answer<Features> {
        let to = node.map_or(To::Controller, To::Node);
        let told = self.channel(to)?.node();
        let supported = told.supported_features.iter().map(|feature| {
            let range = FeatureRange {
                min: feature.min_version,
                max: feature.max_version,
            };
            (feature.name.to_string(), range)
        });
        let finalized = told.finalized_features.iter().map(|feature| {
            let range = FeatureRange {
                min: feature.min_version_level,
                max: feature.max_version_level,
            };
            (feature.name.to_string(), range)
        });
        Ok(Features {
            supported: supported.collect(),
            finalized: finalized.collect(),
            epoch: (told.finalized_features_epoch >= 0).then_some(told.finalized_features_epoch),
        })
    }
}
