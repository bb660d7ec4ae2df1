//! The folders of a log directory that no partition of this broker owns any more.

use crate::broker::error::{BrokerError, Result};
use crate::broker::log::partition::DELETED_DIR;
use crate::broker::world::World;
use std::path::{Path, PathBuf};

/// Ending of a folder that belongs to no partition of this broker, kept for a person to look at.
const STRAY: &str = "-stray";

/// The folder of a partition.
pub fn path_of(log_dir: &Path, topic: &str, index: i32) -> PathBuf {
    log_dir.join(format!("{topic}-{index}"))
}

/// Removes a folder that a deleted topic left behind. Renamed first, so that an interrupted removal is not mistaken
/// for a log.
pub fn remove(world: &World, folder: &Path) -> Result<()> {
    let doomed = renamed(world, folder, DELETED_DIR)?;
    world
        .disk()
        .remove_dir_all(&doomed)
        .map_err(BrokerError::io(&doomed))
}

/// Sets a folder aside that belongs to no partition of this broker, as Kafka does; returns its new place.
pub fn set_aside(world: &World, folder: &Path) -> Result<PathBuf> {
    renamed(world, folder, STRAY)
}

fn renamed(world: &World, folder: &Path, ending: &str) -> Result<PathBuf> {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    // File names end at 255 bytes, a topic's at 249: the long ones are cut, the id keeps them apart.
    let kept: String = name.chars().take(200).collect();
    let new = folder.with_file_name(format!("{kept}.{}{ending}", world.dice().uuid().simple()));
    world
        .disk()
        .rename(folder, &new)
        .map_err(BrokerError::io(folder))?;
    Ok(new)
}
