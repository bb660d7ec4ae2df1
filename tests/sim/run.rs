//! One run: what its seed makes of it, from the first start to the last look.

use super::client::{Client, Surroundings};
use super::cluster::{BROKERS, CONTROLLER, Cluster};
use super::events::{self, Events};
use super::history::History;
use super::invariants::Invariants;
use super::ledger::Ledger;
use super::workloads::{LOOSE, PARTITIONS, SAFE, commits, producer, reader, topics};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use velodrome::broker::world::Dice;

/// Things that go wrong in one run.
const EVENTS: u32 = 60;
/// How long healing may take.
const HEALS_WITHIN: Duration = Duration::from_secs(90);

/// How a run went.
pub struct Outcome {
    /// What happened.
    pub history: Vec<String>,
    /// The first thing that must not have happened.
    pub broken: Option<String>,
    /// Records that were acknowledged by all in-sync replicas.
    pub acknowledged: usize,
}

/// Runs a seed, in this thread and in no time but its own.
pub fn run(seed: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let history = History::new();
        let mut run = Run::new(seed, &history);
        run.all().await;
        run.cluster.end_all().await;
        Outcome {
            history: history.lines(),
            broken: history.what_broke(),
            acknowledged: run.ledger.acknowledged_records(),
        }
    })
}

struct Run {
    cluster: Cluster,
    events: Events,
    invariants: Invariants,
    history: History,
    ledger: Ledger,
    surroundings: Surroundings,
    clients: JoinSet<()>,
    seed: u64,
}

impl Run {
    fn new(seed: u64, history: &History) -> Self {
        let ledger = Ledger::new(history);
        let cluster = Cluster::new(seed, history, settings(seed));
        Run {
            events: Events::new(seed ^ 0xE7E7, history),
            invariants: Invariants::new(history, &ledger),
            surroundings: Surroundings {
                router: Arc::clone(&cluster.router),
                history: history.clone(),
                ledger: ledger.clone(),
                stop: Arc::new(AtomicBool::new(false)),
            },
            cluster,
            history: history.clone(),
            ledger,
            clients: JoinSet::new(),
            seed,
        }
    }

    fn client(&self, name: &str) -> Client {
        let own = name.bytes().fold(self.seed, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Client::new(&self.surroundings, name.to_owned(), own)
    }

    fn goes_well(&self) -> bool {
        self.history.what_broke().is_none()
    }

    async fn all(&mut self) {
        for id in [CONTROLLER].into_iter().chain(BROKERS) {
            self.cluster.start(id);
        }
        if !self
            .until(|run| BROKERS.iter().all(|id| run.cluster.is_up(*id)))
            .await
        {
            return self.history.broken("the cluster does not start");
        }
        if tokio::time::timeout(HEALS_WITHIN, self.begin()).await.is_err() {
            return self.history.broken("the topics cannot be made");
        }
        for _ in 0..EVENTS {
            if !self.goes_well() {
                return;
            }
            self.events.happen(&mut self.cluster).await;
            self.look().await;
            tokio::time::sleep(Duration::from_millis(self.events.pause())).await;
            self.look().await;
        }
        self.heal().await;
    }

    async fn begin(&mut self) {
        let mut client = self.client("founder");
        let least = if self.seed.is_multiple_of(2) { "2" } else { "1" };
        let rolled = if self.seed.is_multiple_of(3) {
            "2000"
        } else {
            "604800000"
        };
        let of_all = [
            ("segment.ms", rolled),
            ("message.timestamp.after.max.ms", "9223372036854775807"),
        ];
        let of_safe = [of_all[0], of_all[1], ("min.insync.replicas", least)];
        topics::make(&mut client, SAFE, PARTITIONS, &of_safe).await;
        topics::make(&mut client, LOOSE, PARTITIONS, &of_all).await;
        for name in ["p1", "p2"] {
            self.clients.spawn(producer::run(self.client(name), SAFE, -1));
        }
        self.clients.spawn(producer::run(self.client("q1"), LOOSE, 1));
        self.clients.spawn(reader::run(self.client("r1"), SAFE));
        self.clients.spawn(commits::run(self.client("g1")));
        self.clients.spawn(commits::run(self.client("g2")));
        self.clients.spawn(topics::run(self.client("admin")));
    }

    /// Sees what has become of the nodes, and whether all is as it must be.
    async fn look(&mut self) {
        self.cluster.settle().await;
        self.invariants.check(&self.cluster);
    }

    /// Waits, looking all the time; false when it takes too long.
    async fn until(&mut self, holds: impl Fn(&Run) -> bool) -> bool {
        let deadline = tokio::time::Instant::now() + HEALS_WITHIN;
        while tokio::time::Instant::now() < deadline {
            if !self.goes_well() || holds(self) {
                return self.goes_well();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.look().await;
            // A node that could not start, or that ended, is started by whoever looks after it.
            for id in [CONTROLLER].into_iter().chain(BROKERS) {
                self.cluster.start(id);
            }
        }
        false
    }

    async fn heal(&mut self) {
        self.cluster.heal();
        self.surroundings.stop.store(true, Ordering::Relaxed);
        let ended = tokio::time::timeout(HEALS_WITHIN, async {
            while self.clients.join_next().await.transpose().unwrap().is_some() {}
        });
        if ended.await.is_err() {
            return self.history.broken("a client never ends");
        }
        if !self.until(|run| events::has_healed(&run.cluster)).await {
            if self.goes_well() {
                self.history.broken("it does not heal");
            }
            return;
        }
        self.invariants.check_end(&self.cluster);
        self.offsets().await;
        self.cluster.settle().await;
    }

    /// What groups were told to be kept is kept.
    async fn offsets(&mut self) {
        let mut client = self.client("auditor");
        for ((group, partition), told) in self.ledger.offsets() {
            let mut kept = None;
            for _ in 0..100 {
                if let Some(coordinator) = client.coordinator(&group).await {
                    kept = commits::kept(&mut client, coordinator, &group, partition).await;
                }
                if kept.is_some() {
                    break;
                }
                client.rest(50, 50).await;
            }
            if kept.is_none_or(|kept| kept < told) {
                self.history.broken(format_args!(
                    "{group} committed {told} of {SAFE}-{partition}, and in the end {kept:?} is kept"
                ));
            }
        }
    }
}

/// Times a tenth of the usual, so that much happens in little time.
fn settings(seed: u64) -> Vec<(&'static str, String)> {
    let dice = Dice::seeded(seed ^ 0x5E77);
    let flush = if dice.number(0..=3) == 0 {
        "1"
    } else {
        "9223372036854775807"
    };
    let snapshots = if dice.number(0..=2) == 0 {
        "4000"
    } else {
        "20971520"
    };
    [
        ("broker.heartbeat.interval.ms", "200"),
        ("broker.session.timeout.ms", "1500"),
        ("replica.lag.time.max.ms", "1500"),
        ("replica.fetch.wait.max.ms", "100"),
        ("replica.fetch.backoff.ms", "50"),
        ("request.timeout.ms", "2000"),
        ("offsets.topic.num.partitions", "2"),
        ("offsets.topic.replication.factor", "3"),
        ("default.replication.factor", "3"),
        ("auto.create.topics.enable", "false"),
        ("log.flush.interval.messages", flush),
        ("metadata.log.max.record.bytes.between.snapshots", snapshots),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}
