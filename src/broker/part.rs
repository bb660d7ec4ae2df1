//! Which part a node takes in its cluster's quorum. A cluster here has one controller; files that name several are taken at
//! their word about who belongs together: one of the controllers leads, and the others join its cluster. Nobody begins a
//! cluster of his own whose file names another's.

use super::config::{Listener, ListenerKind, NodeConfig, Voter};
use super::controller::METADATA_TOPIC;
use super::error::{BrokerError, Result};
use super::storage;
use super::world::Disk;
use super::world::net::is_here;

/// What a node is to its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It is the controller.
    Leads,
    /// The controller is elsewhere: at one of these addresses.
    Joins(Vec<Voter>),
}

/// The part of a node by its settings and its folder: the first of `controller.quorum.voters` leads. Of
/// `controller.quorum.bootstrap.servers`, which are addresses without ids, that node leads whose folder has the metadata
/// or was formatted to have it; where none was, the first.
///
/// # Errors
/// [`BrokerError::Config`] for a node that is to join and has nobody to join.
pub fn part(config: &NodeConfig, disk: &Disk) -> Result<Part> {
    if !config.roles.controller {
        return match config.quorum.first() {
            None => Err(BrokerError::Config(
                "a node that is only a broker needs controller.quorum.bootstrap.servers".to_owned(),
            )),
            Some(first) if first.id.is_some() => Ok(Part::Joins(vec![first.clone()])),
            Some(_) => Ok(Part::Joins(config.quorum.clone())),
        };
    }
    match config.quorum.first() {
        None => leads(config, disk),
        Some(first) if first.id == Some(config.node_id) => leads(config, disk),
        Some(first) if first.id.is_some() => Ok(Part::Joins(vec![first.clone()])),
        Some(first) => by_address(config, first, disk),
    }
}

fn by_address(config: &NodeConfig, first: &Voter, disk: &Disk) -> Result<Part> {
    let is_own = |voter: &&Voter| is_own(config, voter);
    let others: Vec<Voter> = config
        .quorum
        .iter()
        .filter(|voter| !is_own(voter))
        .cloned()
        .collect();
    if others.len() == config.quorum.len() {
        return Ok(Part::Joins(others));
    }
    if disk.is_dir(&config.log_dir.join(format!("{METADATA_TOPIC}-0"))) {
        return Ok(Part::Leads);
    }
    let joined = storage::has_joined(disk, &config.log_dir)?;
    if others.is_empty() || !joined && is_own(&first) {
        return leads(config, disk);
    }
    Ok(Part::Joins(others))
}

/// A node whose file lets it lead. One that has joined another's cluster has none of its metadata: what it would begin is a
/// cluster without topics, in a folder full of them.
fn leads(config: &NodeConfig, disk: &Disk) -> Result<Part> {
    if storage::has_joined(disk, &config.log_dir)? {
        return Err(BrokerError::Config(format!(
            "{} belongs to a node whose controller is another, and these settings name this one",
            config.log_dir.display()
        )));
    }
    Ok(Part::Leads)
}

/// Whether an address is that of a listener of this node's own controller.
pub fn is_own(config: &NodeConfig, voter: &Voter) -> bool {
    let listens =
        |listener: &&Listener| listener.kind == ListenerKind::Controller && listener.port == voter.port;
    let told = config.advertised_listeners.iter();
    let mut listeners = config.listeners.iter().chain(told).filter(listens);
    listeners.any(|listener| listener.host.eq_ignore_ascii_case(&voter.host) || is_here(&voter.host))
}

/// The settings of a node that joins: without a controller's role and listeners.
pub(super) fn without_controller(mut config: NodeConfig) -> NodeConfig {
    config.roles.controller = false;
    config
        .listeners
        .retain(|listener| listener.kind == ListenerKind::Broker);
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::world::World;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn node(folder: &Path, text: &[(&str, &str)]) -> NodeConfig {
        let mut properties: BTreeMap<String, String> = text
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        properties.insert("log.dirs".to_owned(), folder.display().to_string());
        NodeConfig::from_properties(properties).unwrap()
    }

    /// A combined node with its controller on port 29093.
    fn combined(folder: &Path, id: &str, quorum: (&str, &str)) -> NodeConfig {
        let listeners = "PLAINTEXT://localhost:29092,CONTROLLER://localhost:29093";
        node(folder, &[("node.id", id), ("listeners", listeners), quorum])
    }

    /// Node 2, whose file names these servers.
    fn second_of(folder: &Path, servers: &str) -> NodeConfig {
        combined(folder, "2", ("controller.quorum.bootstrap.servers", servers))
    }

    fn joins(config: &NodeConfig) -> Vec<String> {
        match part(config, &Disk::files()).unwrap() {
            Part::Leads => Vec::new(),
            Part::Joins(leaders) => leaders.iter().map(Voter::address).collect(),
        }
    }

    #[test]
    fn the_first_voter_leads_and_the_others_join_it() {
        let folder = tempfile::tempdir().unwrap();
        let voters = "1@localhost:29093,2@localhost:29094,3@localhost:29095";
        let of = |id| combined(folder.path(), id, ("controller.quorum.voters", voters));
        assert_eq!(part(&of("1"), &Disk::files()).unwrap(), Part::Leads);
        assert_eq!(joins(&of("2")), ["localhost:29093"]);
        assert_eq!(joins(&of("3")), ["localhost:29093"]);
        let broker = [
            ("process.roles", "broker"),
            ("node.id", "9"),
            ("controller.quorum.voters", voters),
        ];
        assert_eq!(joins(&node(folder.path(), &broker)), ["localhost:29093"]);
        // Also where a cluster of its own was begun before: its folder will not fit, and that is said.
        std::fs::create_dir(folder.path().join("__cluster_metadata-0")).unwrap();
        assert_eq!(joins(&of("2")), ["localhost:29093"]);
    }

    #[test]
    fn of_servers_that_leads_whose_folder_has_the_metadata_else_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let of = |servers| second_of(folder.path(), servers);
        let none: [&str; 0] = [];
        for alone in ["localhost:29093", "127.0.0.1:29093", "[::1]:29093", ":29093"] {
            assert_eq!(joins(&of(alone)), none, "{alone}");
        }
        assert_eq!(joins(&of("localhost:29093,localhost:29094")), none);
        let behind = "localhost:29092,localhost:29093,localhost:29095";
        assert_eq!(joins(&of(behind)), ["localhost:29092", "localhost:29095"]);
        // Another's alone.
        assert_eq!(joins(&of("localhost:29094")), ["localhost:29094"]);
        assert_eq!(joins(&of("192.0.2.77:29093")), ["192.0.2.77:29093"]);
        std::fs::create_dir(folder.path().join("__cluster_metadata-0")).unwrap();
        assert_eq!(joins(&of(behind)), none);
        assert_eq!(joins(&of("localhost:29094")), ["localhost:29094"]);
    }

    #[test]
    fn who_has_joined_once_never_leads() {
        let folder = tempfile::tempdir().unwrap();
        let of = |servers| second_of(folder.path(), servers);
        let config = of("localhost:29093,localhost:29094");
        let mut log_dir = storage::LogDir::open(&config, &World::default()).unwrap();
        log_dir.join(&config, "AAAAAAAAAAAAAAAAAAAAAQ", true).unwrap();
        assert_eq!(joins(&config), ["localhost:29094"]);
        let voters = combined(
            folder.path(),
            "2",
            ("controller.quorum.voters", "2@localhost:29093,1@localhost:29094"),
        );
        for refused in [of("localhost:29093"), voters] {
            let refused = part(&refused, &Disk::files()).unwrap_err().to_string();
            assert!(refused.contains("whose controller is another"), "{refused}");
        }
    }
}
