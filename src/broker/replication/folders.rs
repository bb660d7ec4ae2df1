//! The folders of a log directory: `TOPIC-PARTITION` with its `partition.metadata`, and those that are on their way out.

use crate::broker::error::{BrokerError, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The file in a partition's folder that names the topic's id (KIP-516).
const METADATA_FILE: &str = "partition.metadata";
/// Ending of a folder whose partition was deleted.
const DELETED: &str = "-delete";
/// Ending of a folder that belongs to no partition of this broker, kept for a person to look at.
const STRAY: &str = "-stray";
/// The metadata log's topic: the controller's folder, not one of ours.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// A partition's folder found in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFolder {
    /// Topic name.
    pub topic: String,
    /// Partition index.
    pub index: i32,
    /// Where it is.
    pub path: PathBuf,
}

/// The folder of a partition.
pub fn path_of(log_dir: &Path, topic: &str, index: i32) -> PathBuf {
    log_dir.join(format!("{topic}-{index}"))
}

/// All partitions' folders in a log directory. Removes what is left of deleted ones.
pub fn scan(log_dir: &Path) -> Result<Vec<PartitionFolder>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(log_dir).map_err(BrokerError::io(log_dir))? {
        let path = entry.map_err(BrokerError::io(log_dir))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if !path.is_dir() {
            continue;
        }
        if name.ends_with(DELETED) {
            fs::remove_dir_all(&path).map_err(BrokerError::io(&path))?;
        } else if let Some((topic, index)) = parse_name(name) {
            found.push(PartitionFolder {
                topic: topic.to_owned(),
                index,
                path: path.clone(),
            });
        }
    }
    Ok(found)
}

/// The topic id that a folder belongs to; `None` when it doesn't say, as after a crash at its creation.
pub fn topic_id(folder: &Path) -> Result<Option<Uuid>> {
    let path = folder.join(METADATA_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BrokerError::io(path)(error)),
    };
    let id = text.lines().find_map(|line| line.strip_prefix("topic_id:"));
    Ok(id.and_then(|id| parse_id(id.trim())))
}

/// Makes the folder of a partition, and says in it to which topic it belongs.
pub fn create(folder: &Path, topic_id: Uuid) -> Result<()> {
    fs::create_dir_all(folder).map_err(BrokerError::io(folder))?;
    let path = folder.join(METADATA_FILE);
    let text = format!("version: 0\ntopic_id: {}\n", id_text(topic_id));
    fs::write(&path, text).map_err(BrokerError::io(&path))
}

/// Removes a folder that a deleted topic left behind. Renamed first, so that an interrupted removal is not mistaken
/// for a log.
pub fn remove(folder: &Path) -> Result<()> {
    let doomed = renamed(folder, DELETED);
    fs::rename(folder, &doomed).map_err(BrokerError::io(folder))?;
    fs::remove_dir_all(&doomed).map_err(BrokerError::io(&doomed))
}

/// Sets a folder aside that belongs to no partition of this broker, as Kafka does; returns its new place.
pub fn set_aside(folder: &Path) -> Result<PathBuf> {
    let aside = renamed(folder, STRAY);
    fs::rename(folder, &aside).map_err(BrokerError::io(folder))?;
    Ok(aside)
}

/// A topic id as Kafka writes it: URL-safe base64 without padding.
pub fn id_text(id: Uuid) -> String {
    let value = id.as_u128();
    // 128 bits are 22 digits of 6 bits, the last of which has 4 bits of padding.
    (0..22)
        .map(|digit| {
            let bits = if digit < 21 {
                value >> (122 - 6 * digit)
            } else {
                value << 4
            };
            char::from(DIGITS[(bits & 63) as usize])
        })
        .collect()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn parse_id(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut value: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)? as u128;
        value = if place < 21 {
            value << 6 | digit
        } else {
            value << 2 | digit >> 4
        };
    }
    Some(Uuid::from_u128(value))
}

/// Splits `TOPIC-PARTITION`; a topic's own name may hold dashes.
fn parse_name(name: &str) -> Option<(&str, i32)> {
    let (topic, index) = name.rsplit_once('-')?;
    let index: i32 = index.parse().ok()?;
    (!topic.is_empty() && index >= 0 && topic != METADATA_TOPIC).then_some((topic, index))
}

fn renamed(folder: &Path, ending: &str) -> PathBuf {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    // File names end at 255 bytes, a topic's at 249: the long ones are cut, the id keeps them apart.
    let kept: String = name.chars().take(200).collect();
    folder.with_file_name(format!("{kept}.{}{ending}", Uuid::new_v4().simple()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_reads_as_kafka_writes_it() {
        let id = Uuid::parse_str("3f2b1a00-5c77-4e11-9d0e-ffeeddccbbaa").unwrap();
        assert_eq!(id_text(id), "PysaAFx3ThGdDv_u3cy7qg");
        assert_eq!(parse_id(&id_text(id)), Some(id));
        assert_eq!(parse_id("short"), None);
        assert_eq!(parse_id("!!!!!!!!!!!!!!!!!!!!!!"), None);
    }

    #[test]
    fn folders_are_found_by_name_and_leftovers_of_deleted_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let id = Uuid::new_v4();
        create(&path_of(dir.path(), "velib-stations", 3), id).unwrap();
        create(&path_of(dir.path(), "__cluster_metadata", 0), id).unwrap();
        fs::create_dir(dir.path().join("old-0.0123-delete")).unwrap();
        fs::create_dir(dir.path().join("other-0.0123-stray")).unwrap();
        fs::write(dir.path().join("a-file-0"), "").unwrap();

        let found = scan(dir.path()).unwrap();
        let [folder] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((folder.topic.as_str(), folder.index), ("velib-stations", 3));
        assert_eq!(topic_id(&folder.path).unwrap(), Some(id));
        assert!(!dir.path().join("old-0.0123-delete").exists());
        assert!(dir.path().join("other-0.0123-stray").exists());
    }
}
