//! The features of a cluster: what ApiVersions tells of them (KIP-584).

use super::{To, Wire};
use crate::kafka::errors::Answer;
use std::collections::BTreeMap;

/// From one level of a feature to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureRange {
    /// The lowest level.
    pub min: i16,
    /// The highest level.
    pub max: i16,
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
    /// The features as one node tells them: `node`, or without it any.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn features(&mut self, node: Option<i32>) -> Answer<Features> {
        let to = node.map_or(To::Any, To::Node);
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
