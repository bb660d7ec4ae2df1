//! Leader epochs of a log and where each starts (KIP-101), kept in `leader-epoch-checkpoint`.

use super::file;
use crate::broker::error::Result;
use crate::broker::world::Disk;
use std::path::{Path, PathBuf};

/// Name of the file in the log's folder.
pub const FILE_NAME: &str = "leader-epoch-checkpoint";

/// The epochs, oldest first; both epochs and start offsets rise. Changing them writes nothing: what has changed is owed to the
/// disk, see [`LeaderEpochs::on_disk`].
#[derive(Debug)]
pub struct LeaderEpochs {
    path: PathBuf,
    entries: Vec<(i32, i64)>,
}

impl LeaderEpochs {
    /// Reads the file of a log's folder; a damaged one is taken as empty, and recovery fills it from the batches.
    pub fn open(disk: &Disk, dir: &Path) -> Result<Self> {
        let path = dir.join(FILE_NAME);
        let bytes = file::read_if_there(disk, &path)?.unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_else(|_| {
            tracing::warn!(path = %path.display(), "leader epochs are not text; starting without them");
            String::new()
        });
        let entries = parse(&text).unwrap_or_else(|| {
            tracing::warn!(path = %path.display(), "leader epochs are damaged; starting without them");
            Vec::new()
        });
        Ok(LeaderEpochs { path, entries })
    }

    /// Notes that `epoch` starts at `offset`, unless a batch of that epoch or a later one came before; returns whether that is
    /// new.
    pub fn assign(&mut self, epoch: i32, offset: i64) -> bool {
        if epoch < 0 || self.latest().is_some_and(|(latest, _)| latest >= epoch) {
            return false;
        }
        self.entries.retain(|(_, start)| *start < offset);
        self.entries.push((epoch, offset));
        true
    }

    /// The newest epoch and its start.
    pub fn latest(&self) -> Option<(i32, i64)> {
        self.entries.last().copied()
    }

    /// The greatest epoch not above `epoch` and where it ends, in a log that ends at `log_end`; (-1, -1) if unknown.
    pub fn end_offset_for(&self, epoch: i32, log_end: i64) -> (i32, i64) {
        let Some((latest, _)) = self.latest().filter(|_| epoch >= 0) else {
            return (-1, -1);
        };
        if epoch == latest {
            return (latest, log_end);
        }
        let higher = self.entries.partition_point(|(known, _)| *known <= epoch);
        match (
            higher.checked_sub(1).and_then(|at| self.entries.get(at)),
            self.entries.get(higher),
        ) {
            (_, None) => (-1, -1),
            (None, Some((_, start))) => (epoch, *start),
            (Some((floor, _)), Some((_, start))) => (*floor, *start),
        }
    }

    /// The epoch that the record at `offset` was written in, -1 when unknown.
    pub fn epoch_of(&self, offset: i64) -> i32 {
        let after = self.entries.partition_point(|(_, start)| *start <= offset);
        after
            .checked_sub(1)
            .and_then(|at| self.entries.get(at))
            .map_or(-1, |(epoch, _)| *epoch)
    }

    /// Forgets the epochs that start at or after `offset`; returns whether there were any.
    pub fn truncate_from_end(&mut self, offset: i64) -> bool {
        let kept = self.entries.partition_point(|(_, start)| *start < offset);
        let forgets = kept < self.entries.len();
        self.entries.truncate(kept);
        forgets
    }

    /// Forgets the epochs that end before the log starts; the one in force there now starts there. Returns whether
    /// that changes anything.
    pub fn truncate_from_start(&mut self, log_start: i64) -> bool {
        let passed = self.entries.partition_point(|(_, start)| *start <= log_start);
        match passed.checked_sub(1) {
            Some(current) if current > 0 || self.entries.first().is_some_and(|(_, at)| *at < log_start) => {
                self.entries.drain(..current);
                if let Some(first) = self.entries.first_mut() {
                    first.1 = log_start;
                }
                true
            }
            _ => false,
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Follows the log's folder to its new name.
    pub fn moved_to(&mut self, dir: &Path) {
        self.path = dir.join(FILE_NAME);
    }

    /// The file that says so, and what is to stand in it.
    pub fn on_disk(&self) -> (PathBuf, String) {
        let mut text = format!("0\n{}\n", self.entries.len());
        for (epoch, start) in &self.entries {
            text.push_str(&format!("{epoch} {start}\n"));
        }
        (self.path.clone(), text)
    }
}

fn parse(text: &str) -> Option<Vec<(i32, i64)>> {
    let mut lines = text.lines();
    let Some(version) = lines.next() else {
        return Some(Vec::new());
    };
    let count: usize = lines.next()?.trim().parse().ok()?;
    let entries = lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (epoch, start) = line.trim().split_once(' ')?;
            Some((epoch.parse().ok()?, start.parse().ok()?))
        })
        .collect::<Option<Vec<(i32, i64)>>>()?;
    let rising = entries.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1);
    (version.trim() == "0" && entries.len() == count && rising).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::world::disk::refusing::{Refused, Refusing};
    use tempfile::TempDir;

    #[test]
    fn epochs_on_the_disk_are_the_old_ones_or_the_new_ones() {
        let folder = TempDir::new().unwrap();
        let open = || LeaderEpochs::open(&Disk::files(), folder.path()).unwrap();
        let assign = |epoch, offset| {
            let mut epochs = open();
            assert!(epochs.assign(epoch, offset));
            let (path, text) = epochs.on_disk();
            file::replace(&Disk::files(), &path, text.as_bytes())
        };
        assign(1, 0).unwrap();
        for step in [Refused::Write, Refused::Sync, Refused::Rename] {
            let refusing = Refusing::new(folder.path(), step);
            assign(2, 10).unwrap_err();
            drop(refusing);
            assert_eq!(open().entries, [(1, 0)], "{step:?}");
        }
        assign(2, 10).unwrap();
        assert_eq!(open().entries, [(1, 0), (2, 10)]);
    }
}
