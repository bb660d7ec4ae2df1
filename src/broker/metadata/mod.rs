//! What the cluster knows of itself: the records of the metadata log and the image they add up to.

pub mod image;

pub use image::{BrokerImage, ConfigResource, MetadataImage, PartitionImage, TopicImage};
