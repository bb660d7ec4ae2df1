//! Who has a port.

use super::folder::ClusterFolder;
use super::nearby;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use std::net::{Ipv4Addr, TcpListener};

/// Fails, naming the process in the way, if `port` of this machine is taken. Port 0 never is.
///
/// # Errors
/// When the port is in use.
pub fn ensure_free(port: u16, folder: &ClusterFolder, context: &Context) -> Outcome {
    if is_free(port) {
        return Ok(());
    }
    Err(in_use(port, folder, &context.places))
}

/// The failure of a port in use: who has it, how to stop it, which port is free for the cluster of `folder`.
pub fn in_use(port: u16, folder: &ClusterFolder, places: &Places) -> Failure {
    let failure = Failure::request(format!("port {port} is in use"));
    let others = nearby::all(places).unwrap_or_default();
    let other = others.iter().find(|other| other.state.port() == Some(port));
    let owner = listeners::get_process_by_port(port, listeners::Protocol::TCP).ok();
    let failure = match (other, owner) {
        (Some(other), _) => failure
            .because(format!(
                "your cluster in {} listens there (process {})",
                other.folder.root().display(),
                other.state.pid
            ))
            .hint(format!("velo cluster stop{}", other.folder.data_option())),
        (None, Some(owner)) if owner.name == "velo" => failure
            .because(format!(
                "another cluster of velo listens there (process {})",
                owner.pid
            ))
            .hint(format!("kill {}   (stops that cluster cleanly)", owner.pid)),
        (None, Some(owner)) => {
            failure.because(format!("{} (process {}) listens there", owner.name, owner.pid))
        }
        (None, None) => failure.because("another process listens there"),
    };
    let free = instead_of(port).unwrap_or(0);
    failure.hint(format!(
        "velo cluster start --port {free}{}",
        folder.data_option()
    ))
}

/// A free port to take the place of one that is taken; `None` where that one is free.
pub fn instead_of(port: u16) -> Option<u16> {
    let next = || (port..=port.saturating_add(20)).find(|port| is_free(*port));
    (!is_free(port)).then(|| next().unwrap_or(0))
}

fn is_free(port: u16) -> bool {
    port == 0 || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
