//! Who has a port.

use super::folder::ClusterFolder;
use super::nearby;
use super::shape::Shape;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use std::net::{Ipv4Addr, TcpListener};

/// How far free ports are looked for.
const REACH: u16 = 200;

/// Fails, naming the process in the way, if a port of this machine that the nodes `ids` are to have is taken. Port 0 never is.
///
/// # Errors
/// When a port is in use.
pub fn ensure_free(folder: &ClusterFolder, shape: &Shape, ids: &[i32], places: &Places) -> Outcome {
    let brokers = ids.iter().filter_map(|id| shape.broker(*id));
    match brokers.map(|broker| broker.port).find(|port| !is_free(*port)) {
        Some(port) => Err(in_use(port, shape, folder, places)),
        None => Ok(()),
    }
}

/// The failure of a port in use: who has it, how to stop it, which ports are free for the cluster of `folder`.
pub fn in_use(port: u16, shape: &Shape, folder: &ClusterFolder, places: &Places) -> Failure {
    let failure = Failure::request(format!("port {port} is in use"));
    let others = nearby::all(places).unwrap_or_default();
    let other = others.iter().find(|other| other.shape.at_port(port).is_some());
    let owner = listeners::get_process_by_port(port, listeners::Protocol::TCP).ok();
    let failure = match (other, owner) {
        (Some(other), owner) if other.folder != *folder => failure
            .because(format!(
                "your cluster in {} listens there{}",
                other.folder.root().display(),
                owner.map_or_else(String::new, |owner| format!(" (process {})", owner.pid))
            ))
            .hint(format!("velo cluster stop{}", other.folder.data_option())),
        (_, Some(owner)) if owner.name == "velo" => failure
            .because(format!(
                "another cluster of velo listens there (process {})",
                owner.pid
            ))
            .hint(format!("kill {}   (stops that cluster cleanly)", owner.pid)),
        (_, Some(owner)) => failure.because(format!("{} (process {}) listens there", owner.name, owner.pid)),
        (_, None) => failure.because("another process listens there"),
    };
    let free = free_from(shape.first_port(), shape.brokers().len()).unwrap_or(0);
    let data = folder.data_option();
    match folder.is_running() {
        // Its other brokers go on, on the ports that clients know.
        Ok(true) => failure.hint(format!(
            "velo cluster stop{data}, then velo cluster start --port {free}{data}"
        )),
        _ => failure.hint(format!("velo cluster start --port {free}{data}")),
    }
}

/// A free port to take the place of one that is taken; `None` where that one is free.
pub fn instead_of(port: u16) -> Option<u16> {
    (!is_free(port)).then(|| free_from(port, 1).unwrap_or(0))
}

/// The first of so many free ports that follow one another.
fn free_from(first: u16, count: usize) -> Option<u16> {
    let count = u16::try_from(count).ok()?;
    let starts = first..=first.saturating_add(REACH);
    starts
        .filter(|start| start.checked_add(count).is_some())
        .find(|start| (0..count).all(|offset| is_free(start.saturating_add(offset))))
}

/// Whether nobody has a port of this machine; 0 is nobody's.
pub fn is_free(port: u16) -> bool {
    port == 0 || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
