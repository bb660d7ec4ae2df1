//! What the cluster knows of itself: the records of the metadata log and the image they add up to.

mod apply;
pub mod batch;
pub mod image;
pub mod record;
mod wire;

pub use apply::resource_type;
pub use image::{BrokerImage, ConfigResource, MetadataImage, PartitionImage, TopicImage};
pub use record::MetadataRecord;
