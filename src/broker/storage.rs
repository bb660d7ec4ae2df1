//! The log directory as a whole: its lock, and `meta.properties`, which says whose it is.

use super::config::NodeConfig;
use super::error::{BrokerError, Result};
use super::log::{checkpoint, file};
use super::world::disk::Lock;
use super::world::{Disk, World};
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

/// A log directory that is this process's alone for as long as this value lives.
#[derive(Debug)]
pub struct LogDir {
    /// Of the whole cluster; `None` until a new broker has asked its controller.
    pub cluster_id: Option<String>,
    /// Of this directory (KIP-858).
    pub directory_id: Uuid,
    /// Epoch of the broker's registration at its last stop, if that was clean (KIP-966).
    pub clean_broker_epoch: Option<i64>,
    /// Whether its node has joined another controller's cluster.
    joined: bool,
    disk: Disk,
    _lock: Lock,
}

impl LogDir {
    /// Locks the directory, making it first if need be, and reads what it says.
    ///
    /// # Errors
    /// [`BrokerError::Config`] when another process has it, or when it belongs to another node.
    pub fn open(config: &NodeConfig, world: &World) -> Result<Self> {
        let path = &config.log_dir;
        let disk = world.disk();
        disk.create_dir_all(path).map_err(BrokerError::io(path))?;
        let lock = lock(disk, path)?;
        let properties = read(disk, &path.join(META))?;
        let owner = properties.get("node.id");
        if let Some(owner) = owner.filter(|owner| **owner != config.node_id.to_string()) {
            return Err(BrokerError::Config(format!(
                "{} belongs to node.id={owner}, not {}",
                path.display(),
                config.node_id
            )));
        }
        let directory_id = properties
            .get("directory.id")
            .and_then(|text| uuid_from_text(text))
            .unwrap_or_else(|| world.dice().id());
        Ok(LogDir {
            cluster_id: properties.get("cluster.id").cloned(),
            directory_id,
            clean_broker_epoch: checkpoint::clean_broker_epoch(disk, path),
            joined: properties.contains_key(JOINED),
            disk: disk.clone(),
            _lock: lock,
        })
    }

    /// Takes the directory for a cluster and writes `meta.properties`, unless that is done already. `joins` tells that the
    /// cluster's controller is another node though this one might have been it: it never will be.
    ///
    /// # Errors
    /// [`BrokerError::Config`] when it belongs to another cluster.
    pub fn join(&mut self, config: &NodeConfig, cluster_id: &str, joins: bool) -> Result<()> {
        let joins = joins || self.joined;
        match &self.cluster_id {
            Some(known) if known == cluster_id && self.joined == joins => return Ok(()),
            Some(known) if known != cluster_id => {
                return Err(BrokerError::Config(format!(
                    "{} belongs to the cluster {known}, but the controller is of {cluster_id}",
                    config.log_dir.display()
                )));
            }
            _ => {}
        }
        let joined = if joins {
            format!("{JOINED}=true\n")
        } else {
            String::new()
        };
        let text = format!(
            "#\nversion=1\ncluster.id={cluster_id}\nnode.id={}\ndirectory.id={}\n{joined}",
            config.node_id,
            uuid_text(self.directory_id)
        );
        file::replace(&self.disk, &config.log_dir.join(META), text.as_bytes())?;
        self.cluster_id = Some(cluster_id.to_owned());
        self.joined = joins;
        Ok(())
    }
}

/// The file that says whose a folder is.
const META: &str = "meta.properties";
/// In `meta.properties`: this node has joined a cluster whose controller is another. Apache Kafka reads past it.
pub const JOINED: &str = "velo.joined";

/// Whether the node of a folder has joined another controller's cluster.
///
/// # Errors
/// [`BrokerError::Io`] when the folder cannot be read.
pub fn has_joined(disk: &Disk, folder: &Path) -> Result<bool> {
    Ok(read(disk, &folder.join(META))?.contains_key(JOINED))
}

/// The names and values of a file; none if it is not there.
fn read(disk: &Disk, path: &Path) -> Result<BTreeMap<String, String>> {
    let Some(bytes) = file::read_if_there(disk, path)? else {
        return Ok(BTreeMap::new());
    };
    let text = String::from_utf8(bytes).map_err(std::io::Error::other);
    Ok(parse(&text.map_err(BrokerError::io(path))?))
}

fn lock(disk: &Disk, folder: &Path) -> Result<Lock> {
    let path = folder.join(".lock");
    let lock = disk.lock(&path).map_err(BrokerError::io(path))?;
    lock.ok_or_else(|| BrokerError::Config(format!("{} is in use by another process", folder.display())))
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A uuid as Kafka writes it: base64url without padding, 22 letters.
pub fn uuid_text(id: Uuid) -> String {
    // Four zero bits on the right fill the last letter.
    (0..22)
        .map(|place| {
            let shift = 122 - 6 * place;
            let bits = if shift >= 0 {
                id.as_u128() >> shift
            } else {
                id.as_u128() << 4
            };
            char::from(LETTERS[(bits & 63) as usize])
        })
        .collect()
}

/// Reads what [`uuid_text`] wrote.
pub fn uuid_from_text(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0u128;
    for (place, letter) in (0..22).zip(text.bytes()) {
        let value = LETTERS.iter().position(|known| *known == letter)? as u128;
        let shift: i32 = 122 - 6 * place;
        bits |= if shift >= 0 { value << shift } else { value >> 4 };
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::world::Dice;
    use crate::broker::world::disk::refusing::{Refused, Refusing};

    #[test]
    fn a_folder_is_taken_for_a_cluster_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let properties = [("log.dirs".to_owned(), folder.path().display().to_string())];
        let config = NodeConfig::from_properties(properties.into()).unwrap();
        for step in [Refused::Write, Refused::Sync, Refused::Rename] {
            let mut log_dir = LogDir::open(&config, &World::default()).unwrap();
            let refusing = Refusing::new(folder.path(), step);
            log_dir.join(&config, "here", false).unwrap_err();
            drop(refusing);
            assert_eq!(log_dir.cluster_id, None, "{step:?}");
            drop(log_dir);
            assert_eq!(
                LogDir::open(&config, &World::default()).unwrap().cluster_id,
                None,
                "{step:?}"
            );
        }
        LogDir::open(&config, &World::default())
            .unwrap()
            .join(&config, "here", false)
            .unwrap();
        assert_eq!(
            LogDir::open(&config, &World::default())
                .unwrap()
                .cluster_id
                .as_deref(),
            Some("here")
        );
    }

    #[test]
    fn no_new_id_looks_like_an_option() {
        for _ in 0..2_000 {
            let text = uuid_text(Dice::default().id());
            assert!(!text.starts_with('-'), "{text}");
        }
    }

    #[test]
    fn uuids_are_written_as_kafka_writes_them() {
        assert_eq!(uuid_text(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(uuid_text(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
        for _ in 0..50 {
            let id = Dice::default().uuid();
            assert_eq!(uuid_from_text(&uuid_text(id)), Some(id));
        }
        assert_eq!(uuid_from_text("../../etc"), None);
    }
}
