//! One run: what its seed makes of it, from the first start to the last look.

use super::board::Board;
use super::client::{Client, Stage, Surroundings};
use super::cluster::{BROKERS, CONTROLLER, Cluster};
use super::deals::Deals;
use super::events::{self, Events};
use super::history::History;
use super::invariants::Invariants;
use super::ledger::Ledger;
use super::workloads::deals::DEALERS;
use super::workloads::members::{MEMBERS, PIECES, TEAM};
use super::workloads::{DEALS, LOOSE, PARTITIONS, SAFE, commits, deals, members, producer, reader, topics};
use std::sync::Arc;
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
    /// Transactions that were committed.
    pub deals: usize,
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
            acknowledged: run.surroundings.ledger.acknowledged_records(),
            deals: run.surroundings.deals.committed_deals(),
        }
    })
}

struct Run {
    cluster: Cluster,
    events: Events,
    invariants: Invariants,
    history: History,
    surroundings: Surroundings,
    clients: JoinSet<()>,
    members: JoinSet<()>,
    seed: u64,
}

impl Run {
    fn new(seed: u64, history: &History) -> Self {
        let ledger = Ledger::new(history);
        let cluster = Cluster::new(seed, history, settings(seed));
        Run {
            events: Events::new(seed ^ 0xE7E7, history, least_in_sync(seed) != "1"),
            invariants: Invariants::new(history, &ledger),
            surroundings: Surroundings {
                router: Arc::clone(&cluster.router),
                history: history.clone(),
                ledger,
                board: Board::new(history),
                deals: Deals::new(history),
                stage: Stage::default(),
            },
            cluster,
            history: history.clone(),
            clients: JoinSet::new(),
            members: JoinSet::new(),
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
        let least = least_in_sync(self.seed);
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
        let of_loose = [of_all[0], of_all[1], ("min.insync.replicas", "1")];
        topics::make(&mut client, SAFE, PARTITIONS, &of_safe).await;
        topics::make(&mut client, LOOSE, PARTITIONS, &of_loose).await;
        topics::make(&mut client, DEALS, PARTITIONS, &of_safe).await;
        for name in ["p1", "p2"] {
            self.clients.spawn(producer::run(self.client(name), SAFE, -1));
        }
        self.clients.spawn(producer::run(self.client("q1"), LOOSE, 1));
        self.clients.spawn(reader::run(self.client("r1"), SAFE));
        self.clients.spawn(reader::run(self.client("r2"), DEALS));
        for (name, id) in DEALERS {
            self.clients.spawn(deals::run(self.client(name), id));
        }
        for name in MEMBERS {
            self.members.spawn(members::run(self.client(name)));
        }
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

    /// Waits until nothing is missing; tells what is when it takes too long.
    async fn reaches(&mut self, missing: impl Fn(&Run) -> Option<String>) -> bool {
        if self.until(|run| missing(run).is_none()).await {
            return true;
        }
        if self.goes_well() {
            let what = missing(self).unwrap_or_default();
            self.history.broken(format_args!("it does not heal: {what}"));
        }
        false
    }

    /// Lets everything heal, and looks whether it does.
    async fn heal(&mut self) {
        self.cluster.heal();
        self.surroundings.board.forget_holds();
        self.surroundings.stage.calm_down();
        if !self.end(|run| &mut run.clients).await {
            return;
        }
        let healed = |run: &Run| events::unhealed(&run.cluster);
        let shared_out = |run: &Run| {
            let board = &run.surroundings.board;
            let shared_out = board.is_shared_out(MEMBERS.len(), PIECES.len());
            (!shared_out).then(|| format!("{TEAM} does not share out its pieces"))
        };
        let reached = self.reaches(healed).await
            && self.conclude().await
            && self.reaches(|run| events::open_transaction(&run.cluster)).await
            && self.reaches(shared_out).await;
        self.surroundings.stage.close();
        if !reached || !self.end(|run| &mut run.members).await {
            return;
        }
        if self.reaches(|run| run.cluster.leftovers()).await && self.reaches(healed).await {
            self.invariants.check_end(&self.cluster);
            self.kept_offsets().await;
            self.visible_deals().await;
            self.cluster.settle().await;
        }
    }

    /// Waits until clients have ended; whether they have.
    async fn end(&mut self, clients: impl Fn(&mut Run) -> &mut JoinSet<()>) -> bool {
        let clients = clients(self);
        let ended = tokio::time::timeout(HEALS_WITHIN, async {
            while clients.join_next().await.transpose().unwrap().is_some() {}
        });
        let ended = ended.await.is_ok();
        if !ended {
            self.history.broken("a client never ends");
        }
        ended
    }

    /// Ends the transactions that are open, whose producers are gone.
    async fn conclude(&mut self) -> bool {
        let mut client = self.client("undertaker");
        for (_, id) in DEALERS {
            let concluded = tokio::time::timeout(HEALS_WITHIN, deals::conclude(&mut client, id));
            if !matches!(concluded.await, Ok(true)) {
                self.history
                    .broken(format_args!("the transactions of {id} do not end"));
                return false;
            }
        }
        true
    }

    /// What groups were told to be kept is kept.
    async fn kept_offsets(&mut self) {
        let mut client = self.client("auditor");
        for ((group, partition), told) in self.surroundings.ledger.offsets() {
            let kept = kept(&mut client, &group, (SAFE, partition)).await;
            if kept.is_none_or(|kept| kept < told) {
                self.history.broken(format_args!(
                    "{group} committed {told} of {SAFE}-{partition}, and in the end {kept:?} is kept"
                ));
            }
        }
        for (piece, place) in PIECES.into_iter().enumerate() {
            let told = self.surroundings.board.floor(piece, i32::MAX);
            let kept = kept(&mut client, TEAM, place).await;
            if kept.is_none_or(|kept| kept < told) {
                self.history.broken(format_args!(
                    "{TEAM} committed {told} of piece {piece}, and in the end {kept:?} is kept"
                ));
            }
        }
    }

    /// Transactions count as a whole or not at all, on every node, and groups' offsets with them.
    async fn visible_deals(&mut self) {
        let all = Invariants::visible_deals(&self.cluster);
        for (node, visible) in &all {
            self.surroundings.deals.check_end(*node, visible);
        }
        let Some((_, visible)) = all.first() else {
            return;
        };
        let mut client = self.client("bookkeeper");
        for (group, told) in self.surroundings.deals.offsets(visible) {
            let kept = kept(&mut client, &group, (DEALS, 0)).await;
            if kept != Some(told) {
                self.history.broken(format_args!(
                    "the last transaction that counts left {told} in {group}, where {kept:?} is kept"
                ));
            }
        }
    }
}

/// What is kept for a group; nothing when nobody says for long.
async fn kept(client: &mut Client, group: &str, place: (&str, i32)) -> Option<i64> {
    for _ in 0..100 {
        if let Some(coordinator) = client.coordinator(group).await {
            let kept = commits::kept(client, coordinator, group, place).await;
            if kept.is_some() {
                return kept;
            }
        }
        client.rest(50, 50).await;
    }
    None
}

/// `min.insync.replicas` of the topics that lose nothing.
fn least_in_sync(seed: u64) -> &'static str {
    if seed.is_multiple_of(2) { "2" } else { "1" }
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
    let delay = if dice.number(0..=1) == 0 { "0" } else { "300" };
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
        ("min.insync.replicas", least_in_sync(seed)),
        ("auto.create.topics.enable", "false"),
        ("group.min.session.timeout.ms", "500"),
        ("group.initial.rebalance.delay.ms", delay),
        ("transaction.state.log.num.partitions", "2"),
        ("transaction.state.log.replication.factor", "3"),
        ("transaction.state.log.min.isr", least_in_sync(seed)),
        (
            "transaction.abort.timed.out.transaction.cleanup.interval.ms",
            "500",
        ),
        ("log.flush.interval.messages", flush),
        ("metadata.log.max.record.bytes.between.snapshots", snapshots),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}
