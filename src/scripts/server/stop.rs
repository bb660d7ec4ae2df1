//! `kafka-server-stop` and `zookeeper-server-stop`: ask nodes of this user to end.

use super::running::{self, Entry, Kind};
use crate::failure::Outcome;
use crate::process::Process;
use crate::scripts::Ending;

/// `kafka-server-stop [--process-role=ROLE] [--node-id=ID]`
///
/// # Errors
/// When none runs, in Kafka's words, exit code 1.
pub fn stop_server(arguments: &[String]) -> Result<u8, Ending> {
    let given = |name: &str| {
        let mut values = arguments
            .iter()
            .filter_map(|argument| argument.strip_prefix(name));
        values.next().map(str::to_owned)
    };
    let (role, id) = (given("--process-role="), given("--node-id="));
    let meant = |entry: &Entry| {
        let by_role = role.as_ref().is_some_and(|role| entry.roles.join(",") == *role);
        match &id {
            // As in Kafka, an id goes before a role.
            Some(id) => entry.node_id.to_string() == *id || by_role,
            None => role.is_none() || by_role,
        }
    };
    let nodes = running::all(Kind::Kafka)?;
    if nodes.is_empty() {
        return Err(Ending::on_stdout(1, "No kafka server to stop").hint("velo cluster stop"));
    }
    stop(nodes.iter().filter(|entry| meant(entry)))?;
    Ok(0)
}

/// `zookeeper-server-stop`
///
/// # Errors
/// When none runs, in Kafka's words, exit code 1.
pub fn stop_zookeeper(_arguments: &[String]) -> Result<u8, Ending> {
    let nodes = running::all(Kind::Zookeeper)?;
    if nodes.is_empty() {
        return Err(Ending::on_stdout(1, "No zookeeper server to stop"));
    }
    stop(nodes.iter())?;
    Ok(0)
}

fn stop<'a>(mut nodes: impl Iterator<Item = &'a Entry>) -> Outcome {
    nodes.try_for_each(|entry| Process::of_id(entry.pid).terminate(false))
}
