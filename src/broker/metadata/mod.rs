//! What the cluster knows of itself: the records of the metadata log and the image they add up to.

mod applied;
mod apply;
pub(super) mod image;
mod replay;
mod versions;

pub use super::records::metadata::MetadataRecord;
pub use applied::AppliedMetadata;
pub(super) use apply::resource_type;
pub use image::{BrokerImage, ConfigResource, MetadataImage, PartitionImage, TopicImage};
pub use replay::{KRAFT_VERSION, KRAFT_VOTERS, replay_batches, replay_snapshot};
pub use versions::encode;
