//! Files beside the partitions' folders, in Kafka's own text formats: one offset per partition, and the mark of a
//! clean stop. Partitions write their own lines; the keeper of all partitions writes and reads whole files.

use super::file;
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Up to where each log is known to be on the disk.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// Where each log starts, when it starts inside a segment.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// High watermarks.
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// Up to where each compacted log is clean.
pub const CLEANER: &str = "cleaner-offset-checkpoint";
/// There after a clean stop, and only then.
const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";

/// One writer at a time, over all files: they are small and seldom written.
static WRITING: Mutex<()> = Mutex::new(());

/// Offsets by topic and partition.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// Reads an offset file; a missing or damaged one is empty, for what it holds can be found again in the logs.
pub fn read(disk: &Disk, log_dir: &Path, name: &str) -> Result<Offsets> {
    let path = log_dir.join(name);
    let Some(bytes) = file::read_if_there(disk, &path)? else {
        return Ok(Offsets::new());
    };
    Ok(parse(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|| {
        tracing::warn!(path = %path.display(), "damaged checkpoint; starting without it");
        Offsets::new()
    }))
}

/// Lines of offset files that are to change, gathered so that each file is written once for many partitions.
#[derive(Debug, Default)]
pub struct Lines(BTreeMap<&'static str, BTreeMap<(String, i32), Option<i64>>>);

impl Lines {
    /// Sets a line of the partition whose log is in `dir`, or removes it with `None`. A folder that is no partition's has
    /// none.
    pub fn set(&mut self, name: &'static str, dir: &Path, offset: Option<i64>) {
        if let Some(key) = parse_partition_dir(dir) {
            self.0.entry(name).or_default().insert(key, offset);
        }
    }

    /// Removes all lines of the partition whose log is, or was, in `dir`.
    pub fn forget(&mut self, dir: &Path) {
        for name in [RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS, CLEANER] {
            self.set(name, dir, None);
        }
    }

    /// Writes the files of a log directory of which lines change.
    ///
    /// # Errors
    /// The first failure; the other files are written all the same.
    pub fn write(self, disk: &Disk, log_dir: &Path) -> Result<()> {
        let _one = WRITING.lock();
        let mut outcome = Ok(());
        for (name, lines) in self.0 {
            outcome = outcome.and(update_locked(disk, log_dir, name, lines));
        }
        outcome
    }
}

fn update_locked(
    disk: &Disk,
    log_dir: &Path,
    name: &str,
    lines: BTreeMap<(String, i32), Option<i64>>,
) -> Result<()> {
    let mut offsets = read(disk, log_dir, name)?;
    let before = offsets.clone();
    for (key, offset) in lines {
        match offset {
            Some(offset) => offsets.insert(key, offset),
            None => offsets.remove(&key),
        };
    }
    if offsets == before {
        return Ok(());
    }
    let mut text = format!("0\n{}\n", offsets.len());
    for ((topic, partition), offset) in &offsets {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    file::replace(disk, &log_dir.join(name), text.as_bytes())
}

fn parse(text: &str) -> Option<Offsets> {
    let mut lines = text.lines();
    let version = lines.next()?.trim();
    let count: usize = lines.next()?.trim().parse().ok()?;
    let offsets = lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            let key = (words.next()?.to_owned(), words.next()?.parse().ok()?);
            Some((key, words.next()?.parse().ok()?))
        })
        .collect::<Option<Offsets>>()?;
    (version == "0" && offsets.len() == count).then_some(offsets)
}

/// What a log directory knew about its partitions when it was last in use.
#[derive(Debug, Clone, Default)]
pub struct LogDirState {
    /// The last stop was clean: no log needs to be checked.
    pub clean: bool,
    /// Up to where each log was on the disk.
    pub recovery_points: Offsets,
    /// Where each log started.
    pub log_starts: Offsets,
    /// High watermarks.
    pub high_watermarks: Offsets,
}

impl LogDirState {
    /// Reads the state of a log directory, leaving the mark of a clean stop in its place.
    pub fn read(disk: &Disk, log_dir: &Path) -> Result<Self> {
        Ok(LogDirState {
            clean: disk.exists(&log_dir.join(CLEAN_SHUTDOWN)),
            recovery_points: read(disk, log_dir, RECOVERY_POINTS)?,
            log_starts: read(disk, log_dir, LOG_STARTS)?,
            high_watermarks: read(disk, log_dir, HIGH_WATERMARKS)?,
        })
    }

    /// Reads the state at a start and takes the mark of a clean stop away, so that a crash from here on is noticed.
    /// Open all logs with it before anything is written.
    pub fn take(disk: &Disk, log_dir: &Path) -> Result<Self> {
        let state = Self::read(disk, log_dir)?;
        if state.clean {
            file::remove(disk, &log_dir.join(CLEAN_SHUTDOWN))?;
            file::sync_dir(disk, log_dir)?;
        }
        Ok(state)
    }
}

/// What the mark of a clean stop says, as Kafka writes it (KIP-966).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CleanShutdown {
    #[serde(default)]
    version: i32,
    broker_epoch: i64,
}

/// Marks a clean stop of a broker, after all logs have been closed. The epoch of its registration tells the controller at
/// the next start that this was its last stop, and that it has lost nothing.
pub fn mark_clean(disk: &Disk, log_dir: &Path, broker_epoch: i64) -> Result<()> {
    let mark = CleanShutdown {
        version: 0,
        broker_epoch,
    };
    let path = log_dir.join(CLEAN_SHUTDOWN);
    let text = serde_json::to_vec(&mark).map_err(|error| BrokerError::io(&path)(error.into()))?;
    file::replace(disk, &path, &text)
}

/// Epoch of the broker's registration at its last stop, if that was clean and says it: the mark may be an older one.
pub fn clean_broker_epoch(disk: &Disk, log_dir: &Path) -> Option<i64> {
    let text = disk.read(&log_dir.join(CLEAN_SHUTDOWN)).ok()?;
    let mark: CleanShutdown = serde_json::from_slice(&text).ok()?;
    Some(mark.broker_epoch)
}

/// Splits a folder's name into topic and partition; `None` for folders that hold no partition in service.
pub fn parse_partition_dir(dir: &Path) -> Option<(String, i32)> {
    let (topic, partition) = dir.file_name()?.to_str()?.rsplit_once('-')?;
    let plain = !topic.is_empty() && partition.bytes().all(|b| b.is_ascii_digit());
    Some((topic.to_owned(), partition.parse().ok().filter(|_| plain)?))
}

/// The partitions' folders of a log directory. Folders of deleted partitions that a crash left behind are removed.
pub fn partition_dirs(disk: &Disk, log_dir: &Path) -> Result<Vec<(String, i32, PathBuf)>> {
    let mut found = Vec::new();
    for path in disk.list(log_dir).map_err(BrokerError::io(log_dir))? {
        if !disk.is_dir(&path) {
            continue;
        }
        if path
            .to_str()
            .is_some_and(|name| name.ends_with(super::partition::DELETED_DIR))
        {
            disk.remove_dir_all(&path).map_err(BrokerError::io(&path))?;
        } else if let Some((topic, partition)) = parse_partition_dir(&path) {
            found.push((topic, partition, path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::world::disk::refusing::{Refused, Refusing};
    use tempfile::TempDir;

    fn set(lines: &mut Lines, folder: &TempDir, partition: &str, offset: Option<i64>) {
        lines.set(HIGH_WATERMARKS, &folder.path().join(partition), offset);
    }

    fn known(folder: &TempDir) -> Vec<(String, i64)> {
        let offsets = read(&Disk::files(), folder.path(), HIGH_WATERMARKS)
            .unwrap()
            .into_iter();
        offsets
            .map(|((topic, partition), offset)| (format!("{topic}-{partition}"), offset))
            .collect()
    }

    fn pairs(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, offset)| ((*name).to_owned(), *offset))
            .collect()
    }

    #[test]
    fn lines_of_many_partitions_are_written_at_once_and_the_others_stay() {
        let folder = TempDir::new().unwrap();
        let mut lines = Lines::default();
        for (partition, offset) in [("a-0", 1), ("a-1", 2), ("b-0", 3)] {
            set(&mut lines, &folder, partition, Some(offset));
        }
        lines.write(&Disk::files(), folder.path()).unwrap();
        assert_eq!(known(&folder), pairs(&[("a-0", 1), ("a-1", 2), ("b-0", 3)]));
        let mut lines = Lines::default();
        set(&mut lines, &folder, "a-0", Some(7));
        set(&mut lines, &folder, "b-0", None);
        set(&mut lines, &folder, "no partition", Some(9));
        lines.write(&Disk::files(), folder.path()).unwrap();
        assert_eq!(known(&folder), pairs(&[("a-0", 7), ("a-1", 2)]));
    }

    #[test]
    fn a_file_is_written_only_where_it_changes_and_never_by_half() {
        let folder = TempDir::new().unwrap();
        let line = |offset| {
            let mut lines = Lines::default();
            set(&mut lines, &folder, "a-0", Some(offset));
            lines
        };
        line(1).write(&Disk::files(), folder.path()).unwrap();
        for step in [Refused::Write, Refused::Sync, Refused::Rename] {
            let refusing = Refusing::new(folder.path(), step);
            line(1).write(&Disk::files(), folder.path()).unwrap();
            line(2).write(&Disk::files(), folder.path()).unwrap_err();
            drop(refusing);
            assert_eq!(known(&folder), pairs(&[("a-0", 1)]), "{step:?}");
        }
    }

    #[test]
    fn the_mark_of_a_clean_stop_is_whole_or_not_there() {
        let folder = TempDir::new().unwrap();
        assert!(!LogDirState::read(&Disk::files(), folder.path()).unwrap().clean);
        for step in [Refused::Write, Refused::Sync, Refused::Rename] {
            let refusing = Refusing::new(folder.path(), step);
            mark_clean(&Disk::files(), folder.path(), 7).unwrap_err();
            drop(refusing);
            assert!(
                !LogDirState::read(&Disk::files(), folder.path()).unwrap().clean,
                "{step:?}"
            );
        }
        mark_clean(&Disk::files(), folder.path(), 7).unwrap();
        assert_eq!(clean_broker_epoch(&Disk::files(), folder.path()), Some(7));
        assert!(LogDirState::take(&Disk::files(), folder.path()).unwrap().clean);
        assert!(
            !LogDirState::take(&Disk::files(), folder.path()).unwrap().clean,
            "it counts once"
        );
    }
}
