//! Where a node's file says that the cluster's controllers are.

use super::listener::{host_or_loopback, is_nowhere};
use super::properties::{Properties, given, words};

/// A controller that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// Its node id, when the setting says.
    pub id: Option<i32>,
    /// Host of its controller listener.
    pub host: String,
    /// Port of its controller listener.
    pub port: u16,
}

impl Voter {
    /// `HOST:PORT`
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

const VOTERS: &str = "controller.quorum.voters";
const SERVERS: &str = "controller.quorum.bootstrap.servers";

/// The voters, or if there are none the servers.
///
/// # Errors
/// The text Kafka gives for one that is none.
pub(super) fn quorum(properties: &Properties) -> Result<Vec<Voter>, String> {
    let voters = voters(properties)?;
    let servers = servers(properties)?;
    Ok(if voters.is_empty() { servers } else { voters })
}

/// `controller.quorum.voters`
pub(super) fn voters(properties: &Properties) -> Result<Vec<Voter>, String> {
    words(given(properties, VOTERS).unwrap_or_default())
        .map(voter)
        .collect()
}

fn voter(entry: &str) -> Result<Voter, String> {
    let form = "Each entry should be in the form `{id}@{host}:{port}`.";
    let Some((id, address)) = entry
        .split_once('@')
        .filter(|(_, address)| !address.contains('@'))
    else {
        return Err(format!("Invalid configuration value for {VOTERS}. {form}"));
    };
    let id = id
        .parse()
        .map_err(|_| format!("Failed to parse voter ID as an integer from {id}"))?;
    let (host, port) = host_and_port(address).ok_or_else(|| {
        format!("Failed to parse host name from entry {entry} for the configuration {VOTERS}. {form}")
    })?;
    if is_nowhere(&host) {
        return Err(format!("Host string ({host}) is not routeable"));
    }
    Ok(Voter {
        id: Some(id),
        host,
        port,
    })
}

/// `controller.quorum.bootstrap.servers`
fn servers(properties: &Properties) -> Result<Vec<Voter>, String> {
    let entries = words(given(properties, SERVERS).unwrap_or_default());
    entries
        .map(|entry| {
            let (host, port) = host_and_port(entry).ok_or_else(|| {
                format!(
                    "Failed to parse host name from {entry} for the configuration {SERVERS}. Each entry should be in \
                     the form \"{{host}}:{{port}}\""
                )
            })?;
            Ok(Voter {
                id: None,
                host,
                port,
            })
        })
        .collect()
}

fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let belongs = |letter: char| letter.is_ascii_alphanumeric() || "-%._:".contains(letter);
    host.chars().all(belongs).then_some(())?;
    Some((host_or_loopback(host), port.parse().ok()?))
}
