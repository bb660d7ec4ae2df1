//! What to type where no broker answers a script: beside Java's words, which stay.

use crate::commands::cluster::nearby::{self, Running};
use crate::failure::{Failure, Kind};
use crate::places::Places;

/// Says what failed, which names the servers asked, and what to do about it.
pub fn nobody(what: &str) -> String {
    // What cannot be told now, `velo doctor` tells.
    let running = Places::from_environment().and_then(|places| nearby::all(&places));
    let way_out = running.map_or_else(|_| "velo doctor".to_owned(), |running| of(&running, what));
    format!("{what}; {way_out}")
}

/// Why a producer's topic could not be looked up, and what to do about it.
pub fn no_metadata_hint(failure: &Failure) -> String {
    match failure.kind() {
        Kind::Unreachable => nobody(failure.what()),
        _ => format!("{}; velo topic list", failure.what()),
    }
}

fn of(running: &[Running], what: &str) -> String {
    let asked = |port: u16| {
        let port = format!(":{port}");
        let mut rest = what.split(&port).skip(1);
        rest.any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    };
    for one in running {
        let mut brokers = one.shape.brokers().iter();
        if let Some(stuck) = brokers.find(|broker| asked(broker.port)) {
            return one.help(*stuck).unwrap_or_else(|_| "velo doctor".to_owned());
        }
    }
    match running.first() {
        Some(other) => format!(
            "the cluster of this machine takes --bootstrap-server {}",
            other.shape.bootstrap()
        ),
        None => "velo cluster start, or another --bootstrap-server".to_owned(),
    }
}
