//! All that a node asks of its surroundings: time, other machines, files, chance, and threads that may wait for a disk.
//!
//! Nothing else in `src/broker` asks for them, so that a node can be put into another world: in service the machine's own,
//! in the simulation one in a single thread, where a seed decides what happens and a second run of it is the same.

mod dice;
pub mod disk;
pub mod fault;
mod jobs;
pub mod net;
pub(super) mod time;
pub(super) mod watch;

pub use dice::Dice;
pub use disk::Disk;
pub use jobs::{JobFailed, Jobs, panics_now};
pub use net::Net;

use crate::clock::Clock;

/// The surroundings of a node. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct World {
    clock: Clock,
    net: Net,
    disk: Disk,
    dice: Dice,
    jobs: Jobs,
}

impl World {
    /// One that is made of these.
    pub fn new(clock: Clock, net: Net, disk: Disk, dice: Dice, jobs: Jobs) -> Self {
        World {
            clock,
            net,
            disk,
            dice,
            jobs,
        }
    }

    /// The one clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The way to other machines.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Where files are.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Chance.
    pub fn dice(&self) -> &Dice {
        &self.dice
    }

    /// Work that may wait for the disk.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }
}

/// The machine's own world, but for its time.
impl From<Clock> for World {
    fn from(clock: Clock) -> Self {
        World {
            clock,
            ..World::default()
        }
    }
}
