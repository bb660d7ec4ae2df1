//! `partition.metadata`: the id of the topic that a partition's folder belongs to.

use super::file;
use crate::broker::error::Result;
use crate::broker::world::Disk;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::path::Path;
use uuid::Uuid;

/// Name of the file in the partition's folder.
const FILE_NAME: &str = "partition.metadata";

/// Reads the topic's id; `None` when the file is not there or not in Kafka's format.
pub fn read_topic_id(disk: &Disk, partition_dir: &Path) -> Result<Option<Uuid>> {
    let path = partition_dir.join(FILE_NAME);
    let Some(bytes) = file::read_if_there(disk, &path)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let encoded = text.lines().find_map(|line| line.strip_prefix("topic_id: "));
    let bytes = encoded.and_then(|id| URL_SAFE_NO_PAD.decode(id.trim()).ok());
    Ok(bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()))
}

/// Writes the topic's id, in Kafka's base 64.
pub fn write_topic_id(disk: &Disk, partition_dir: &Path, topic_id: Uuid) -> Result<()> {
    let encoded = URL_SAFE_NO_PAD.encode(topic_id.as_bytes());
    let text = format!("version: 0\ntopic_id: {encoded}\n");
    file::replace(disk, &partition_dir.join(FILE_NAME), text.as_bytes())
}
