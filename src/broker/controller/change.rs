//! The one way in which the metadata changes.
//!
//! One writer at a time plans on the newest image and writes the records, which are replayed into the image: that is the
//! newest from then on. A change that is refused, or that the log does not take, leaves it as it was. What is committed, see
//! [`super::commit`], is a step behind: what is on this node's disk, for which nobody waits with the writer's lock, counts as
//! this voter's. It alone is shown to brokers and clients, and a request is answered when all that its plan was made on, and
//! made, is committed. A disk that refuses is the end of this node.

use super::Controller;
use super::commit::Voters;
use super::plan::{Step, View};
use super::sessions::Sessions;
use crate::broker::error::{BrokerError, Result};
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use crate::broker::world::watch;
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What only the one writer sees.
pub(super) struct Writer {
    /// All that is in the log adds up to this.
    newest: Arc<MetadataImage>,
    voters: Voters,
    /// Images that are not committed, oldest first, each with the end of the log that it stands for.
    uncommitted: VecDeque<(i64, Arc<MetadataImage>)>,
    pub(super) sessions: Sessions,
    /// How far each broker has applied the log, by its last heartbeat.
    pub(super) applied: BTreeMap<i32, i64>,
    /// Where the next topic's placement starts.
    pub(super) next_placement: usize,
}

/// An answer that holds once all below an offset is committed.
#[derive(Debug)]
pub(super) struct Written<A> {
    pub(super) answer: A,
    end: i64,
}

impl Writer {
    pub(super) fn new(voters: Voters, image: Arc<MetadataImage>, session: Duration, now_ms: i64) -> Self {
        Writer {
            sessions: Sessions::of(&image, session, now_ms),
            newest: image,
            voters,
            uncommitted: VecDeque::new(),
            applied: BTreeMap::new(),
            next_placement: 0,
        }
    }

    /// The image of all that is in the log.
    #[cfg(test)]
    pub(super) fn newest(&self) -> Arc<MetadataImage> {
        Arc::clone(&self.newest)
    }

    /// What is not on the disk, and never will be, has not happened.
    fn forget_uncommitted(&mut self, committed: Arc<MetadataImage>) {
        self.uncommitted.clear();
        self.newest = committed;
    }

    /// Brokers on other nodes, and up to where they have the log.
    pub(super) fn observers(&self, node_id: i32) -> Vec<(i32, i64)> {
        let others = self.applied.iter().filter(|(id, _)| **id != node_id);
        others.map(|(id, applied)| (*id, applied + 1)).collect()
    }
}

impl Controller {
    /// What a plan is made on.
    pub(super) fn view<'a>(&'a self, writer: &'a Writer) -> View<'a> {
        View {
            image: &writer.newest,
            config: &self.config,
            next_offset: self.log.next_offset(),
        }
    }

    /// Changes something: `change` plans and writes, on a thread that may wait for the disk; the answer comes when it is
    /// committed.
    ///
    /// # Errors
    /// The refusal of the change, or `KAFKA_STORAGE_ERROR`.
    pub(super) async fn ask<A: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&Controller, &mut Writer) -> Result<Written<A>> + Send + 'static,
    ) -> Result<A> {
        let written = self
            .on_disk(|controller| {
                let written = change(controller, &mut controller.writer.lock())?;
                if controller.log.committed() < written.end {
                    controller.settle()?;
                }
                Ok::<_, BrokerError>(written)
            })
            .await??;
        self.committed(written.end).await?;
        Ok(written.answer)
    }

    /// Waits until all below an offset is committed. A controller that cannot go on commits nothing more.
    async fn committed(&self, end: i64) -> Result<()> {
        let mut committed = self.log.committing();
        tokio::select! {
            biased;
            // The sender lives as long as the log.
            _ = committed.wait_for(|committed| *committed >= end) => Ok(()),
            _ = self.failed() => Err(ResponseError::KafkaStorageError.into()),
        }
    }

    /// Writes a step and replays it. It counts once it is on the disk, see [`Controller::settle`]; the answer waits for
    /// everything that the plan was made on, too, for it may speak of what is not committed yet.
    ///
    /// A log that failed, or that holds what the image does not, is not written to again: that is the end of this node,
    /// see [`Controller::failed`].
    ///
    /// # Errors
    /// When it is not written: then everything is as it was.
    pub(super) fn write<A>(&self, writer: &mut Writer, step: Step<A>) -> Result<Written<A>> {
        let Step { records, answer } = step;
        if !records.is_empty() {
            self.append(writer, &records)?;
        }
        Ok(Written {
            answer,
            end: self.log.next_offset(),
        })
    }

    fn append(&self, writer: &mut Writer, records: &[MetadataRecord]) -> Result<()> {
        if self.failure.borrow().is_some() {
            return Err(ResponseError::KafkaStorageError.into());
        }
        let mut writing = Writing::begin(&self.failure);
        // What cannot be applied must not stand in the log, so it is tried first.
        let image = replayed(&writer.newest, self.log.next_offset(), records);
        let written = image.and_then(|image| self.log.write(records).map(|()| image));
        let image = match written {
            Ok(image) => Arc::new(image),
            Err(error) => {
                let poisoned = self.log.is_poisoned();
                writing.why = poisoned.then(|| format!("the metadata log cannot be written: {error}"));
                return Err(error);
            }
        };
        writer.newest = Arc::clone(&image);
        writer.uncommitted.push_back((self.log.next_offset(), image));
        writing.why = None;
        Ok(())
    }

    /// Waits until what was written is on this node's disk, without the lock of the one writer, and commits what is committed
    /// by that.
    ///
    /// # Errors
    /// When the disk refuses, which is the end of this node.
    pub(super) fn settle(&self) -> Result<()> {
        let mut writing = Writing::begin(&self.failure);
        if let Err(error) = self.log.settle() {
            let poisoned = self.log.is_poisoned();
            writing.why = poisoned.then(|| format!("the metadata log cannot be written: {error}"));
            drop(writing);
            self.writer.lock().forget_uncommitted(self.image());
            return Err(error);
        }
        {
            let mut writer = self.writer.lock();
            let end = self.log.settled_end();
            self.written_by(&mut writer, self.config.node_id, end);
        }
        if let Err(error) = self.snapshot_if_due() {
            // The log itself is whole, so the cluster goes on; the next change tries again.
            tracing::error!(%error, "cannot write a snapshot of the metadata");
        }
        let poisoned = self.log.is_poisoned();
        writing.why = poisoned.then(|| "the metadata log cannot be cut after a snapshot".to_owned());
        Ok(())
    }

    /// Writes a snapshot once enough has been written since the last, while others change the metadata. Then the log begins
    /// anew after it, unless it has gone on: the next snapshot has that, too.
    fn snapshot_if_due(&self) -> Result<()> {
        let Some(snapshots) = self.log.snapshot_is_due() else {
            return Ok(());
        };
        let (image, end) = (Arc::clone(&self.writer.lock().newest), self.log.next_offset());
        if image.offset + 1 != end || self.log.committed() < end {
            return Ok(());
        }
        self.log.write_snapshot(&snapshots, &image, end)?;
        {
            let _writer = self.writer.lock();
            if self.log.next_offset() == end {
                self.log.begin_anew_at(&snapshots, end)?;
            }
        }
        self.log.settle()
    }

    /// A voter has the log up to `end` on its disk: shows what is committed by that, and answers who waits for it.
    pub(super) fn written_by(&self, writer: &mut Writer, voter: i32, end: i64) {
        writer.voters.written(voter, end);
        let committed = writer.voters.committed();
        let done = writer.uncommitted.partition_point(|(end, _)| *end <= committed);
        if let Some((_, image)) = writer.uncommitted.drain(..done).next_back() {
            self.image.store(image);
        }
        self.log.commit(committed);
    }
}

/// The image with records that begin at an offset.
fn replayed(image: &MetadataImage, first: i64, records: &[MetadataRecord]) -> Result<MetadataImage> {
    let mut image = image.clone();
    for (offset, record) in (first..).zip(records) {
        image.apply(offset, record).map_err(BrokerError::from)?;
    }
    Ok(image)
}

/// A write to the metadata log: unless it ends with nothing to say, the controller has failed. A panic ends it with what
/// it began with.
struct Writing<'a> {
    failure: &'a watch::Sender<Option<String>>,
    why: Option<String>,
}

impl<'a> Writing<'a> {
    fn begin(failure: &'a watch::Sender<Option<String>>) -> Self {
        Writing {
            failure,
            why: Some("a change of the metadata broke off half-way".to_owned()),
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(why) = self.why.take() {
            tracing::error!("{why}");
            self.failure.send_replace(Some(why));
        }
    }
}
