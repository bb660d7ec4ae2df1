//! Files beside the partitions' folders, in Kafka's own text formats: one offset per partition, and the mark of a
//! clean stop. Partitions write their own lines; the keeper of all partitions writes and reads whole files.

use super::file;
use crate::broker::error::{BrokerError, Result};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
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
pub fn read(log_dir: &Path, name: &str) -> Result<Offsets> {
    let path = log_dir.join(name);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Offsets::new()),
        Err(error) => return Err(BrokerError::io(&path)(error)),
    };
    Ok(parse(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|| {
        tracing::warn!(path = %path.display(), "damaged checkpoint; starting without it");
        Offsets::new()
    }))
}

/// Replaces an offset file as a whole.
pub fn write(log_dir: &Path, name: &str, offsets: &Offsets) -> Result<()> {
    let _one = WRITING.lock();
    write_locked(log_dir, name, offsets)
}

/// Sets one partition's line, or removes it with `None`.
pub fn update(log_dir: &Path, name: &str, topic: &str, partition: i32, offset: Option<i64>) -> Result<()> {
    let _one = WRITING.lock();
    let mut offsets = read(log_dir, name)?;
    let key = (topic.to_owned(), partition);
    let before = match offset {
        Some(offset) => offsets.insert(key, offset),
        None => offsets.remove(&key),
    };
    if before == offset {
        return Ok(());
    }
    write_locked(log_dir, name, &offsets)
}

fn write_locked(log_dir: &Path, name: &str, offsets: &Offsets) -> Result<()> {
    let mut text = format!("0\n{}\n", offsets.len());
    for ((topic, partition), offset) in offsets {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    file::replace(&log_dir.join(name), text.as_bytes(), false)
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
    pub fn read(log_dir: &Path) -> Result<Self> {
        Ok(LogDirState {
            clean: log_dir.join(CLEAN_SHUTDOWN).exists(),
            recovery_points: read(log_dir, RECOVERY_POINTS)?,
            log_starts: read(log_dir, LOG_STARTS)?,
            high_watermarks: read(log_dir, HIGH_WATERMARKS)?,
        })
    }

    /// Reads the state at a start and takes the mark of a clean stop away, so that a crash from here on is noticed.
    /// Open all logs with it before anything is written.
    pub fn take(log_dir: &Path) -> Result<Self> {
        let state = Self::read(log_dir)?;
        if state.clean {
            file::remove(&log_dir.join(CLEAN_SHUTDOWN))?;
            file::sync_dir(log_dir)?;
        }
        Ok(state)
    }
}

/// Marks a clean stop, after all logs have been closed.
pub fn mark_clean(log_dir: &Path) -> Result<()> {
    file::replace(
        &log_dir.join(CLEAN_SHUTDOWN),
        b"{\"version\":0,\"brokerEpoch\":-1}",
        true,
    )
}

/// Splits a folder's name into topic and partition; `None` for folders that hold no partition in service.
pub fn parse_partition_dir(dir: &Path) -> Option<(String, i32)> {
    let (topic, partition) = dir.file_name()?.to_str()?.rsplit_once('-')?;
    let plain = !topic.is_empty() && partition.bytes().all(|b| b.is_ascii_digit());
    Some((topic.to_owned(), partition.parse().ok().filter(|_| plain)?))
}

/// The partitions' folders of a log directory. Folders of deleted partitions that a crash left behind are removed.
pub fn partition_dirs(log_dir: &Path) -> Result<Vec<(String, i32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(log_dir).map_err(BrokerError::io(log_dir))? {
        let path = entry.map_err(BrokerError::io(log_dir))?.path();
        if !path.is_dir() {
            continue;
        }
        if path
            .to_str()
            .is_some_and(|name| name.ends_with(super::partition::DELETED_DIR))
        {
            fs::remove_dir_all(&path).map_err(BrokerError::io(&path))?;
        } else if let Some((topic, partition)) = parse_partition_dir(&path) {
            found.push((topic, partition, path));
        }
    }
    found.sort();
    Ok(found)
}
