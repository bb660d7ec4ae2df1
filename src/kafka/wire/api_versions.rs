//! Which requests a node knows: what it answered when the connection was made (KIP-35).

use super::{To, Wire};
use crate::kafka::errors::Answer;

/// A request that a node knows, by its number: the node may know requests that nobody here has heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiRange {
    /// The API's key.
    pub key: i16,
    /// Its lowest version.
    pub min: i16,
    /// Its highest version.
    pub max: i16,
}

impl Wire {
    /// The requests that a node knows.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn api_versions(&mut self, node: i32) -> Answer<Vec<ApiRange>> {
        let told = self.channel(To::Node(node))?.node();
        let ranges = told.api_keys.iter().map(|api| ApiRange {
            key: api.api_key,
            min: api.min_version,
            max: api.max_version,
        });
        Ok(ranges.collect())
    }
}
