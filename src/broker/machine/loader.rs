//! Reads a machine back from its log.

use super::{Journal, LogRecord, Machine, Position, Producer, Shard};
use crate::broker::batch::{self, Batch, Records};
use crate::broker::error::{BrokerError, Result};
use std::sync::Arc;

/// Read at once.
const READ_BYTES: usize = 1 << 20;

/// Notes, unless it is forgotten, that a shard's log cannot be read: one whose reading panics shall not be waited for.
struct Unreadable<'a, M: Machine, J: Journal>(&'a Shard<M, J>);

impl<M: Machine, J: Journal> Drop for Unreadable<'_, M, J> {
    fn drop(&mut self) {
        self.0.set_unreadable();
    }
}

impl<M: Machine, J: Journal> Shard<M, J> {
    /// Reads the log, after which the shard can be asked. One that cannot be read leaves the shard unserved: its clients are
    /// told to look for another coordinator, and the broker's log says why. Touches the disk.
    pub fn load(self: &Arc<Self>) {
        let unreadable = Unreadable(self);
        let machine = load::<M>(self.journal(), self.machines());
        std::mem::forget(unreadable);
        match machine {
            Ok((machine, end)) => {
                self.set_loaded(machine, end);
                tracing::debug!(log = self.name(), "loaded");
            }
            Err(error) => {
                tracing::error!(log = self.name(), "cannot be loaded: {error}");
                self.set_unreadable();
            }
        }
    }
}

/// What a log adds up to, and where it ended.
///
/// # Errors
/// When the disk refuses, or a record cannot be read that the machine does not leave alone.
fn load<M: Machine>(journal: &impl Journal, settings: &M::Settings) -> Result<(M, i64)> {
    let mut machine = M::new(settings);
    journal.wait_for_disk();
    let mut offset = journal.start();
    let end = journal.end();
    while offset < end {
        let read = journal.read(offset, READ_BYTES)?;
        if read.is_empty() {
            break;
        }
        for batch in batch::intact(read)? {
            take(&mut machine, &batch, offset, journal)?;
            offset = batch.header.next_offset();
        }
    }
    Ok((machine, end))
}

/// Takes the records of a batch from `offset` on.
fn take<M: Machine>(machine: &mut M, batch: &Batch, offset: i64, journal: &impl Journal) -> Result<()> {
    let header = &batch.header;
    let producer = Producer {
        id: header.producer_id,
        epoch: header.producer_epoch,
    };
    if header.is_control() {
        if let Some(marker) = batch.marker() {
            machine.replay_marker(header.base_offset, producer, marker.commits);
        }
        return Ok(());
    }
    let records = batch::records_of(batch)?;
    for record in Records::new(&records) {
        let record = record?;
        let at = Position {
            offset: header.offset_of(&record),
            producer: header.is_transactional().then_some(producer),
        };
        if at.offset < offset {
            continue;
        }
        match M::Record::decode(record.key, record.value) {
            Ok(record) => machine.replay(at, record),
            Err(error) if M::leaves_alone(&error) => {
                tracing::warn!(log = journal.name(), offset = at.offset, "left alone: {error}");
            }
            Err(error) => return Err(BrokerError::Config(format!("at offset {}: {error}", at.offset))),
        }
    }
    Ok(())
}
