//! Partitions whose logs could not be opened: a disk that was full, or failed for a while, takes none out of service for ever.

use super::maintenance::Rests;
use super::manager::Wanted;
use super::{ReplicaManager, folders};
use crate::broker::error::Result;
use crate::broker::log::checkpoint::LogDirState;
use crate::broker::log::topic_id;
use crate::broker::metadata::{MetadataImage, TopicImage};
use std::sync::Arc;
use uuid::Uuid;

impl ReplicaManager {
    /// Whether there are logs that are to be kept here and could not be opened.
    pub(super) fn lacks_logs(&self) -> bool {
        !self.applied.lock().any || self.index.load().offline().next().is_some()
    }

    /// Tries again to open what could not be opened, by the image that was applied last; those that cannot be opened yet rest.
    /// Returns whether anything is open now that was not: then whatever depends on it is to follow the image once more.
    pub(super) fn open_offline(&self, image: &MetadataImage, rests: &Rests, still: &mut Rests) -> bool {
        let applied = self.applied.lock();
        if !applied.any {
            drop(applied);
            return match self.apply(image) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(%error, "some partitions cannot be served yet");
                    !self.partitions().is_empty()
                }
            };
        }
        let offline: Vec<(Uuid, i32)> = self.index.load().offline().collect();
        let mut opened = false;
        for (topic_id, index) in offline {
            let Some(topic) = image.topic_by_id(topic_id) else {
                continue;
            };
            let wanted = Wanted { topic, index };
            match rests.attempt((topic_id, index), || self.open_again(image, &wanted)) {
                Some(rest) => still.note((topic_id, index), rest),
                None => opened = true,
            }
        }
        if opened {
            self.assignments_changed();
        }
        opened
    }

    fn open_again(&self, image: &MetadataImage, wanted: &Wanted<'_>) -> Result<()> {
        // Nobody has checked this log since the broker started, whatever it was when it was last in use.
        let before = LogDirState {
            clean: false,
            ..LogDirState::read(self.settings.world.disk(), &self.settings.log_dir)?
        };
        let partition = Arc::new(self.open_one(image, wanted, &before)?);
        let mut index = super::index::ReplicaIndex::clone(&self.index.load());
        index.insert(partition);
        self.index.store(Arc::new(index));
        self.assign(wanted.topic);
        let TopicImage { name, .. } = wanted.topic;
        tracing::info!(topic = name, partition = wanted.index, "the log is open now");
        Ok(())
    }

    /// Forgets those that are kept here no longer, and removes what they left behind.
    pub(super) fn forget_offline(&self, image: &MetadataImage) -> Result<()> {
        let mut index = super::index::ReplicaIndex::clone(&self.index.load());
        let gone = index.remove_offline(|topic_id, index| !self.is_assigned(image, topic_id, index));
        if gone.is_empty() {
            return Ok(());
        }
        self.index.store(Arc::new(index));
        let mut outcome = Ok(());
        for (id, index, topic) in gone {
            outcome = outcome.and(self.remove_unopened(id, index, &topic));
        }
        outcome
    }

    fn remove_unopened(&self, id: Uuid, index: i32, topic: &str) -> Result<()> {
        let disk = self.settings.world.disk();
        let folder = folders::path_of(&self.settings.log_dir, topic, index);
        let whose = topic_id::read_topic_id(disk, &folder)?;
        if disk.is_dir(&folder) && whose.is_none_or(|whose| whose == id) {
            return self.remove_folder(&folder);
        }
        Ok(())
    }
}
