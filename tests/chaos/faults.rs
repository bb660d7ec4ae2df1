//! What happens to the nodes.

use super::history::say;
use super::links::Way;
use super::nodes::{BROKERS, Nodes, SESSION_MS};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::fmt::{self, Display};
use std::time::{Duration, Instant};

/// One thing that goes wrong, and what is told of it.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// A broker is killed.
    Killed(i32),
    /// It stands still for longer than its session.
    Paused(i32),
    /// The network loses all that goes to it and comes from it.
    Held(i32),
    /// Its connections are closed.
    Closed(i32),
    /// Its disk is full.
    Full(i32),
    /// The controller is killed.
    NoController,
}

impl Fault {
    /// By chance.
    pub fn any(chance: &mut ChaCha8Rng) -> Self {
        let broker = BROKERS[chance.random_range(0..BROKERS.len())];
        match chance.random_range(0..6) {
            0 => Fault::Killed(broker),
            1 => Fault::Paused(broker),
            2 => Fault::Held(broker),
            3 => Fault::Closed(broker),
            4 => Fault::Full(broker),
            _ => Fault::NoController,
        }
    }

    /// How long it lasts.
    pub fn lasts(self, chance: &mut ChaCha8Rng) -> Duration {
        Duration::from_millis(match self {
            Fault::Paused(_) | Fault::Held(_) => SESSION_MS + chance.random_range(200..1_500),
            _ => chance.random_range(200..2_500),
        })
    }

    /// Makes it so.
    pub fn begin(self, nodes: &mut Nodes) {
        match self {
            Fault::Killed(broker) => nodes.kill(broker),
            Fault::Paused(broker) => nodes.pause(broker),
            Fault::Held(broker) => nodes.set_way(broker, Way::Held),
            Fault::Closed(broker) => nodes.set_way(broker, Way::Closed),
            Fault::Full(broker) => nodes.set_full(broker, true),
            Fault::NoController => nodes.kill_controller(),
        }
    }

    /// Mends it.
    pub fn end(self, nodes: &mut Nodes) {
        match self {
            Fault::Killed(_) | Fault::NoController => {}
            Fault::Paused(broker) => nodes.resume(broker),
            Fault::Held(broker) | Fault::Closed(broker) => nodes.set_way(broker, Way::Open),
            Fault::Full(broker) => nodes.set_full(broker, false),
        }
        nodes.revive();
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

/// Lets things go wrong, one after the other, until then; answers which.
pub fn happen(
    nodes: &mut Nodes,
    faults: impl Iterator<Item = Fault>,
    chance: &mut ChaCha8Rng,
    until: Instant,
) -> Vec<Fault> {
    let mut happened = Vec::new();
    for fault in faults {
        if Instant::now() >= until {
            break;
        }
        say(fault);
        fault.begin(nodes);
        std::thread::park_timeout(fault.lasts(chance));
        fault.end(nodes);
        say(format_args!("{fault} is over"));
        happened.push(fault);
        std::thread::park_timeout(Duration::from_millis(chance.random_range(100..1_500)));
    }
    happened
}
