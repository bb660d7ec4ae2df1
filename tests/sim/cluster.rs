//! The machines: a controller and three brokers, each with a disk, a clock and a place in the network of its own.

use super::history::{BEGINS_MS, History};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use velodrome::broker::leftovers::Leftovers;
use velodrome::broker::world::disk::MemoryDisk;
use velodrome::broker::world::net::Router;
use velodrome::broker::world::{Dice, Disk, Jobs, Net, World};
use velodrome::broker::{Node, NodeConfig, Result, RunningNode};
use velodrome::clock::Clock;

/// The controller's id.
pub const CONTROLLER: i32 = 100;
/// The brokers' ids.
pub const BROKERS: [i32; 3] = [1, 2, 3];
/// The clients' place in the network.
pub const CLIENTS: u32 = 0;

/// Where a node listens.
pub fn port(id: i32) -> u16 {
    9_000 + u16::try_from(id).unwrap()
}

/// A node's place in the network.
pub fn place(id: i32) -> u32 {
    u32::try_from(id).unwrap()
}

enum State {
    Down,
    Starting(JoinHandle<Result<RunningNode>>),
    Up(Box<RunningNode>),
    Stopping(JoinHandle<()>),
}

/// One machine, and the node on it.
struct Machine {
    clock: Clock,
    disk: MemoryDisk,
    slowness: Arc<AtomicI32>,
    world: World,
    state: State,
    /// Counts the starts: what a node says of itself is compared within one life.
    life: u32,
}

/// All machines.
pub struct Cluster {
    pub router: Arc<Router>,
    machines: BTreeMap<i32, Machine>,
    history: History,
    settings: Vec<(&'static str, String)>,
}

impl Cluster {
    /// Machines on which nothing runs yet.
    pub fn new(seed: u64, history: &History, settings: Vec<(&'static str, String)>) -> Self {
        let router = Router::new(Dice::seeded(seed), 3);
        let ids = BROKERS.into_iter().chain([CONTROLLER]);
        let machines = ids.map(|id| (id, Machine::new(seed, id, &router))).collect();
        Cluster {
            router,
            machines,
            history: history.clone(),
            settings,
        }
    }

    fn machine(&mut self, id: i32) -> &mut Machine {
        self.machines.get_mut(&id).unwrap()
    }

    fn config(&self, id: i32) -> NodeConfig {
        let controller = format!("{CONTROLLER}@127.0.0.1:{}", port(CONTROLLER));
        let (role, listener) = match id {
            CONTROLLER => ("controller", "CONTROLLER"),
            _ => ("broker", "PLAINTEXT"),
        };
        let own = [
            ("node.id", id.to_string()),
            ("process.roles", role.to_owned()),
            ("listeners", format!("{listener}://127.0.0.1:{}", port(id))),
            ("controller.listener.names", "CONTROLLER".to_owned()),
            ("controller.quorum.voters", controller),
            ("log.dirs", "/data".to_owned()),
        ];
        let all = own.into_iter().chain(self.settings.iter().cloned());
        let properties = all.map(|(name, value)| (name.to_owned(), value)).collect();
        NodeConfig::from_properties(properties).unwrap()
    }

    /// Starts a node; it may take as long as it takes.
    pub fn start(&mut self, id: i32) {
        if !self.is_down(id) {
            return;
        }
        let config = self.config(id);
        let machine = self.machine(id);
        machine.disk.serve_again();
        machine.life += 1;
        machine.state = State::Starting(tokio::spawn(Node::start(config, machine.world.clone())));
        self.history.note(format_args!("node {id} starts"));
    }

    /// Ends a node at once: what it had written is on the disk or on its way there.
    pub async fn kill(&mut self, id: i32) {
        self.history.note(format_args!("node {id} is killed"));
        self.end(id).await;
    }

    async fn end(&mut self, id: i32) {
        match std::mem::replace(&mut self.machine(id).state, State::Down) {
            State::Down => {}
            State::Starting(starting) => starting.abort(),
            State::Stopping(stopping) => stopping.abort(),
            State::Up(running) => running.kill().await,
        }
        // Whatever ran for it ends before time goes on.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Ends a node at once, and its disk forgets what was not synced.
    pub async fn lose_power(&mut self, id: i32, torn: bool) {
        let how = if torn { ", its last writes torn" } else { "" };
        self.history.note(format_args!("node {id} loses its power{how}"));
        self.end(id).await;
        self.machine(id).disk.lose_power(torn);
    }

    /// Asks a node to stop cleanly.
    pub fn stop(&mut self, id: i32) {
        let machine = self.machine(id);
        match std::mem::replace(&mut machine.state, State::Down) {
            State::Up(running) => {
                machine.state = State::Stopping(tokio::spawn(running.shutdown()));
                self.history.note(format_args!("node {id} is asked to stop"));
            }
            other => machine.state = other,
        }
    }

    pub fn is_down(&self, id: i32) -> bool {
        matches!(self.machines[&id].state, State::Down)
    }

    pub fn is_up(&self, id: i32) -> bool {
        matches!(self.machines[&id].state, State::Up(_))
    }

    /// The nodes that serve, each with its id and life.
    pub fn running(&self) -> impl Iterator<Item = (i32, u32, &Arc<Node>)> {
        self.machines
            .iter()
            .filter_map(|(id, machine)| match &machine.state {
                State::Up(running) => Some((*id, machine.life, running.node())),
                _ => None,
            })
    }

    /// A machine's disk, to spoil it.
    pub fn disk(&self, id: i32) -> &MemoryDisk {
        &self.machines[&id].disk
    }

    /// Sets a machine's date.
    pub fn set_clock(&self, id: i32, by_ms: i64) {
        self.history
            .note(format_args!("the clock of node {id} is set by {by_ms} ms"));
        self.machines[&id].clock.set(by_ms);
    }

    /// How long what a node does on its disk may wait before it begins.
    pub fn slow_down(&self, id: i32, longest_ms: i32) {
        self.history.note(format_args!(
            "work on the disk of node {id} waits up to {longest_ms} ms"
        ));
        self.machines[&id].slowness.store(longest_ms, Ordering::Relaxed);
    }

    /// Takes note of nodes that have come up, stopped, or ended by themselves. Those that ended are killed, as their process
    /// would be.
    pub async fn settle(&mut self) {
        let ids: Vec<i32> = self.machines.keys().copied().collect();
        for id in ids {
            match &mut self.machine(id).state {
                State::Starting(starting) if starting.is_finished() => {
                    let started = starting.await;
                    self.came_up(id, started);
                }
                State::Stopping(stopping) if stopping.is_finished() => {
                    self.machine(id).state = State::Down;
                    self.history.note(format_args!("node {id} has stopped"));
                }
                State::Up(running) => {
                    let failed = tokio::select! {
                        biased;
                        why = running.failed() => Some(why),
                        () = std::future::ready(()) => None,
                    };
                    if running.failed_requests() > 0 {
                        self.history
                            .broken(format_args!("a request panicked on node {id}"));
                    }
                    if let Some(why) = failed {
                        self.history.note(format_args!("node {id} ends: {why}"));
                        if why.contains("has ended") {
                            self.history.broken(format_args!("node {id}: {why}"));
                        }
                        self.end(id).await;
                    }
                }
                _ => {}
            }
        }
    }

    fn came_up(
        &mut self,
        id: i32,
        started: std::result::Result<Result<RunningNode>, tokio::task::JoinError>,
    ) {
        self.machine(id).state = match started {
            Ok(Ok(running)) => {
                self.history.note(format_args!("node {id} serves"));
                State::Up(Box::new(running))
            }
            Ok(Err(error)) => {
                self.history.note(format_args!("node {id} cannot start: {error}"));
                State::Down
            }
            Err(error) => {
                self.history
                    .broken(format_args!("the start of node {id}: {error}"));
                State::Down
            }
        };
    }

    /// Ends everything that is wrong, and starts what is down. What a node could not do while its disk refused it does by itself.
    pub fn heal(&mut self) {
        self.history.note("everything heals");
        self.router.heal_all();
        self.router.delay(3);
        let ids: Vec<i32> = self.machines.keys().copied().collect();
        for id in ids {
            let machine = self.machine(id);
            machine.slowness.store(0, Ordering::Relaxed);
            machine.disk.serve_again();
            self.start(id);
        }
    }

    /// What a node still keeps for clients.
    pub fn leftovers(&self) -> Option<String> {
        let mut left = self.running().filter_map(|(id, _, node)| {
            let mut left = node.leftovers();
            // Nodes talk on.
            left.connections.retain(|peer| u32::from(peer.port()) == CLIENTS);
            let nothing = Leftovers::default();
            (left != nothing).then(|| format!("node {id} keeps {left:?}"))
        });
        left.next()
    }

    /// Ends all nodes and begins no other.
    pub async fn end_all(&mut self) {
        let ids: Vec<i32> = self.machines.keys().copied().collect();
        for id in ids {
            self.end(id).await;
        }
    }
}

impl Machine {
    fn new(seed: u64, id: i32, router: &Arc<Router>) -> Self {
        let own = seed ^ (u64::from(place(id)) << 32);
        let clock = Clock::simulated(BEGINS_MS);
        let disk = MemoryDisk::new(clock.clone(), Dice::seeded(own ^ 1));
        let slowness = Arc::new(AtomicI32::new(0));
        let files = Disk::memory(&disk);
        files.create_dir_all(Path::new("/data")).unwrap();
        files.sync_dir(Path::new("/")).unwrap();
        let world = World::new(
            clock.clone(),
            Net::simulated(router, place(id)),
            files,
            Dice::seeded(own ^ 2),
            Jobs::inline(Dice::seeded(own ^ 3), Arc::clone(&slowness)),
        );
        Machine {
            clock,
            disk,
            slowness,
            world,
            state: State::Down,
            life: 0,
        }
    }
}
