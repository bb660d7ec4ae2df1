//! The metadata as a broker knows it, and how far it has acted on it.

use super::MetadataImage;
use crate::broker::world::watch;
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;

/// The newest metadata that a broker knows of, read without a lock, and up to where it has been applied to all that follows it.
#[derive(Debug)]
pub struct AppliedMetadata {
    image: ArcSwap<MetadataImage>,
    /// Offset of the newest that has been applied to everything; changes wake the receivers.
    applied: watch::Sender<i64>,
}

impl AppliedMetadata {
    /// Nothing has been applied yet.
    pub fn new(image: MetadataImage) -> Self {
        AppliedMetadata {
            image: ArcSwap::from_pointee(image),
            applied: watch::Sender::new(-1),
        }
    }

    /// The image, for a moment.
    pub fn load(&self) -> Guard<Arc<MetadataImage>> {
        self.image.load()
    }

    /// The image, for longer.
    pub fn load_full(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// Takes an image that is not applied.
    pub fn store(&self, image: Arc<MetadataImage>) {
        self.image.store(image);
    }

    /// Takes an image that has been applied to everything.
    pub fn store_applied(&self, image: Arc<MetadataImage>) {
        let offset = image.offset;
        self.image.store(image);
        self.applied.send_replace(offset);
    }

    /// Wakes whenever an image has been applied.
    pub fn applied(&self) -> watch::Receiver<i64> {
        self.applied.subscribe()
    }

    /// Waits until the metadata log has been applied up to `offset`.
    pub async fn reaches(&self, offset: i64) {
        // The sender lives here.
        let _ = self
            .applied
            .subscribe()
            .wait_for(|applied| *applied >= offset)
            .await;
    }
}
