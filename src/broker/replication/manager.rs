//! All replicas kept by this broker; follows the metadata image.

use super::Partition;
use crate::broker::error::Result;
use crate::broker::metadata::MetadataImage;
use std::sync::Arc;
use uuid::Uuid;

/// The replicas kept by this broker.
#[derive(Debug, Default)]
pub struct ReplicaManager;

impl ReplicaManager {
    /// The replica of that partition, if it is kept here.
    pub fn partition(&self, _topic: &str, _index: i32) -> Option<Arc<Partition>> {
        todo!()
    }

    /// The replica by topic id.
    pub fn partition_by_id(&self, _topic_id: Uuid, _index: i32) -> Option<Arc<Partition>> {
        todo!()
    }

    /// All replicas kept here.
    pub fn partitions(&self) -> Vec<Arc<Partition>> {
        todo!()
    }

    /// Follows a new image: opens, closes and deletes logs, takes and gives up leadership, hands on configs.
    /// Called by the metadata applier, one image after another.
    pub fn apply(&self, _image: &MetadataImage) -> Result<()> {
        todo!()
    }
}
