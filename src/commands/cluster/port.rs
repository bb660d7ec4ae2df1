//! Who has a port.

use crate::failure::{Failure, Outcome};
use std::net::{Ipv4Addr, TcpListener};

/// Fails, naming the process in the way, if `port` of this machine is taken. Port 0 never is.
///
/// # Errors
/// When the port is in use.
pub fn ensure_free(port: u16) -> Outcome {
    if port == 0 || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
        return Ok(());
    }
    Err(in_use(port))
}

/// The failure of a port in use: who has it, how to stop it, which port is free.
pub fn in_use(port: u16) -> Failure {
    let failure = Failure::request(format!("port {port} is in use"));
    let failure = match listeners::get_process_by_port(port, listeners::Protocol::TCP) {
        Ok(owner) if owner.name == "velo" => failure
            .because(format!(
                "another cluster of yours listens there (process {})",
                owner.pid
            ))
            .hint(format!("kill {}   (stops that cluster cleanly)", owner.pid)),
        Ok(owner) => failure.because(format!("{} (process {}) listens there", owner.name, owner.pid)),
        Err(_) => failure.because("another process listens there"),
    };
    match next_free(port) {
        Some(free) => failure.hint(format!("velo cluster start --port {free}")),
        None => failure.hint("velo cluster start --port 0"),
    }
}

fn next_free(port: u16) -> Option<u16> {
    (port..=port.saturating_add(20)).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}
