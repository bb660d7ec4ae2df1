//! What goes wrong, one thing after the other, as the seed has it.

use super::cluster::{BROKERS, CLIENTS, CONTROLLER, Cluster, place};
use super::history::History;
use super::workloads::is_safe;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use velodrome::broker::metadata::{MetadataImage, TopicImage};
use velodrome::broker::world::Dice;

/// Makes things go wrong.
pub struct Events {
    dice: Dice,
    history: History,
    /// Whether two replicas of what must not be lost have to be in sync before anything counts: then one of them may lose its
    /// power whatever the others do, as long as these end cleanly (KIP-966).
    eligible: bool,
    /// The broker that lost its power and may lead all the same, for the controller does not know of it.
    unnoticed: Option<Registered>,
}

impl Events {
    pub fn new(seed: u64, history: &History, eligible: bool) -> Self {
        Events {
            dice: Dice::seeded(seed),
            history: history.clone(),
            eligible,
            unnoticed: None,
        }
    }

    /// Milliseconds until the next one.
    pub fn pause(&self) -> u64 {
        let longest = if self.dice.number(0..=3) == 0 { 3_000 } else { 500 };
        u64::try_from(self.dice.number(20..=longest)).unwrap()
    }

    fn one_of<T: Copy>(&self, all: &[T]) -> T {
        let last = i32::try_from(all.len() - 1).unwrap();
        all[usize::try_from(self.dice.number(0..=last)).unwrap()]
    }

    fn broker(&self) -> i32 {
        self.one_of(&BROKERS)
    }

    fn node(&self) -> i32 {
        self.one_of(&[1, 2, 3, CONTROLLER])
    }

    /// Two places between which there are links.
    fn places(&self) -> (u32, u32) {
        let all = [place(1), place(2), place(3), place(CONTROLLER), CLIENTS];
        loop {
            let (one, other) = (self.one_of(&all), self.one_of(&all));
            if one != other {
                return (one, other);
            }
        }
    }

    /// The next one. As long as nobody has noticed that a broker lost its power, the others end cleanly only, and write what they
    /// must.
    pub async fn happen(&mut self, cluster: &mut Cluster) {
        self.unnoticed = self.unnoticed.filter(|broker| broker.may_lead(cluster));
        match self.dice.number(0..=29) {
            12..=15 | 25..=26 | 29 if self.unnoticed.is_some() => {}
            0..=4 => self.cut(cluster),
            5..=7 => {
                self.history.note("all links heal");
                cluster.router.heal_all();
            }
            8..=9 => {
                let (one, other) = self.places();
                self.history
                    .note(format_args!("connections between {one} and {other} break"));
                cluster.router.break_off(one, other);
            }
            10..=11 => {
                let longest = self.one_of(&[1, 3, 20, 150, 600]);
                self.history
                    .note(format_args!("what is sent takes up to {longest} ms"));
                cluster.router.delay(longest);
            }
            12..=15 => {
                let id = self.broker();
                cluster.kill(id).await;
            }
            16..=20 => {
                // Whoever is down comes back.
                for id in [CONTROLLER, 1, 2, 3] {
                    if self.dice.number(0..=2) > 0 {
                        cluster.start(id);
                    }
                }
            }
            21 => cluster.stop(self.broker()),
            22 => {
                let torn = self.dice.number(0..=1) == 0;
                cluster.lose_power(CONTROLLER, torn).await;
                cluster.start(CONTROLLER);
            }
            23..=24 => self.lose_power(cluster).await,
            25..=26 => self.spoil_disk(cluster),
            27 => {
                let by = self.one_of(&[-3_600_000, -5_000, 5_000, 60_000, 3_600_000]);
                cluster.set_clock(self.node(), by);
            }
            28 => {
                let longest = self.one_of(&[0, 0, 10, 100, 1_000]);
                cluster.slow_down(self.node(), longest);
            }
            _ => {
                let id = self.broker();
                let changes = u32::try_from(self.dice.number(1..=12)).unwrap();
                self.history.note(format_args!(
                    "node {id} stops after {changes} changes of its disk"
                ));
                cluster.disk(id).stop_after(changes);
            }
        }
    }

    fn cut(&self, cluster: &Cluster) {
        let (one, other) = self.places();
        cluster.router.cut(one, other);
        if self.dice.number(0..=2) == 0 {
            self.history
                .note(format_args!("nothing comes from {one} to {other} any more"));
        } else {
            cluster.router.cut(other, one);
            self.history
                .note(format_args!("{one} and {other} are cut off from one another"));
        }
    }

    /// A broker loses its power, but only while everybody has everything: what all replicas lose at once is lost. Where one in
    /// sync is enough, nothing else happens until the controller knows of it: others that stop may leave it as the last in-sync
    /// replica, and what it lost is lost for all, in Apache Kafka as well.
    async fn lose_power(&mut self, cluster: &mut Cluster) {
        if !all_in_sync(cluster) {
            return;
        }
        let torn = self.dice.number(0..=1) == 0;
        let Some(broker) = Registered::of(cluster, self.broker()) else {
            return;
        };
        if self.eligible {
            self.lose_power_unnoticed(cluster, broker, torn).await;
        } else {
            // Were the others cut off from the controller, or slow to be heard, it would take them for gone first, and this one
            // for the last in sync.
            self.history.note("all links heal, and are quick");
            cluster.router.heal_all();
            cluster.router.delay(3);
            cluster.lose_power(broker.id, torn).await;
            self.await_notice(cluster, broker).await;
        }
    }

    /// The same, and at once everything may happen by which others end cleanly: often all of them are asked to.
    async fn lose_power_unnoticed(&mut self, cluster: &mut Cluster, broker: Registered, torn: bool) {
        let others = BROKERS.into_iter().filter(|other| *other != broker.id);
        for other in others.clone() {
            cluster.disk(other).serve_again();
        }
        if others.clone().any(|other| is_damaged(cluster, other)) {
            return;
        }
        self.unnoticed = Some(broker);
        cluster.lose_power(broker.id, torn).await;
        let all_stop = self.dice.number(0..=2) > 0;
        for other in others.filter(|_| all_stop) {
            let pause = u64::try_from(self.dice.number(0..=400)).unwrap();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            cluster.settle().await;
            cluster.stop(other);
        }
    }

    async fn await_notice(&self, cluster: &mut Cluster, broker: Registered) {
        for _ in 0..200 {
            if !broker.may_lead(cluster) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            cluster.settle().await;
            cluster.start(CONTROLLER);
        }
        let known = in_sync_by_controller(cluster);
        self.history.broken(format_args!(
            "the controller does not notice that node {} is gone: {known:?}",
            broker.id
        ));
    }

    fn spoil_disk(&self, cluster: &Cluster) {
        let id = self.node();
        match self.dice.number(0..=2) {
            0 => {
                self.history.note(format_args!("the disk of node {id} is full"));
                cluster.disk(id).set_full(true);
            }
            1 => {
                self.history
                    .note(format_args!("the disk of node {id} has room again"));
                cluster.disk(id).set_full(false);
            }
            _ => {
                self.history
                    .note(format_args!("a sync of the disk of node {id} fails"));
                cluster.disk(id).fail_a_sync();
            }
        }
    }
}

/// Whether a log of that broker is not open, or has refused a change and was not opened again since: it does not end cleanly
/// then.
fn is_damaged(cluster: &Cluster, id: i32) -> bool {
    let node = cluster.running().find(|(running, ..)| *running == id);
    node.is_none_or(|(_, _, node)| {
        let image = node.metadata.load();
        let kept: usize = image.topics.values().map(|topic| topic.partitions.len()).sum();
        let partitions = node.replicas.partitions();
        partitions.len() != kept || partitions.iter().any(|partition| partition.log.is_poisoned())
    })
}

/// A broker as it is registered.
#[derive(Clone, Copy)]
struct Registered {
    id: i32,
    epoch: i64,
}

impl Registered {
    fn of(cluster: &Cluster, id: i32) -> Option<Self> {
        let epoch = image_of(cluster)?.brokers.get(&id)?.epoch;
        Some(Registered { id, epoch })
    }

    /// Whether the controller may let it lead a topic that loses nothing as what it was; as far as it knows, if it does not run.
    fn may_lead(self, cluster: &Cluster) -> bool {
        let Some(image) = image_of(cluster) else {
            return true;
        };
        let same = image
            .brokers
            .get(&self.id)
            .is_some_and(|now| now.epoch == self.epoch);
        let safe = image.topics.values().filter(|topic| is_safe(&topic.name));
        let mut partitions = safe.flat_map(|topic| &topic.partitions);
        partitions.any(|partition| {
            let whole = partition.isr.contains(&self.id) || partition.eligible.contains(&self.id);
            let last = partition.leader == -1 && partition.last_eligible.contains(&self.id);
            same && whole || last
        })
    }
}

/// What the controller knows, if it runs.
fn image_of(cluster: &Cluster) -> Option<Arc<MetadataImage>> {
    let mut controllers = cluster
        .running()
        .filter_map(|(_, _, node)| node.controller.as_ref());
    controllers.next().map(|controller| controller.image())
}

/// What the controller knows of the partitions that lose nothing; nothing while it is away.
fn in_sync_by_controller(cluster: &Cluster) -> Option<BTreeMap<String, Vec<i32>>> {
    let image = image_of(cluster)?;
    let safe = image.topics.values().filter(|topic| is_safe(&topic.name));
    let each = safe.flat_map(|topic| {
        let partitions = topic.partitions.iter().enumerate();
        partitions.map(|(index, partition)| (format!("{}-{index}", topic.name), partition.isr.clone()))
    });
    Some(each.collect())
}

/// Whether all replicas of the topics that lose nothing are in sync and run.
pub fn all_in_sync(cluster: &Cluster) -> bool {
    if !BROKERS.iter().all(|id| cluster.is_up(*id)) {
        return false;
    }
    let Some(image) = image_of(cluster) else {
        return false;
    };
    let mut safe = image.topics.values().filter(|topic| is_safe(&topic.name));
    let whole = safe.all(|topic| {
        let mut partitions = topic.partitions.iter();
        partitions.all(|partition| partition.isr.len() == partition.replicas.len())
    });
    image.brokers.values().all(|broker| !broker.fenced) && whole
}

/// What has not healed: until all replicas of all topics are in sync and have the same end.
pub fn unhealed(cluster: &Cluster) -> Option<String> {
    if !all_in_sync(cluster) {
        return Some("a broker is down, fenced, or not in sync for the controller".to_owned());
    }
    let mut ends = BTreeMap::new();
    for (id, _, node) in cluster.running().filter(|(id, ..)| *id != CONTROLLER) {
        let image = node.metadata.load();
        if let Some(partition) = image.topics.values().find_map(incomplete) {
            return Some(format!("{partition} is not in sync for node {id}"));
        }
        let kept: usize = image.topics.values().map(|topic| topic.partitions.len()).sum();
        let partitions = node.replicas.partitions();
        if partitions.len() != kept {
            return Some(format!(
                "node {id} keeps {} of {kept} partitions",
                partitions.len()
            ));
        }
        for partition in partitions {
            let (end, watermark) = (partition.log.log_end_offset(), partition.log.high_watermark());
            let key = (partition.topic_id, partition.index);
            let other = *ends.entry(key).or_insert(end);
            if end != watermark || other != end {
                let name = format!("{}-{}", partition.topic, partition.index);
                return Some(format!(
                    "{name} of node {id} ends at {end}, its high watermark is {watermark}; elsewhere it ends at {other}"
                ));
            }
        }
    }
    None
}

/// A partition that has no leader, or not all of its replicas in sync.
fn incomplete(topic: &Arc<TopicImage>) -> Option<String> {
    let mut partitions = topic.partitions.iter().enumerate();
    let (index, _) = partitions
        .find(|(_, partition)| partition.isr.len() < partition.replicas.len() || partition.leader < 0)?;
    Some(format!("{}-{index}", topic.name))
}

/// A partition in which a transaction is open, or not known to have ended by all in-sync replicas.
pub fn open_transaction(cluster: &Cluster) -> Option<String> {
    let partitions = cluster.running().flat_map(|(id, _, node)| {
        let partitions = node.replicas.partitions().into_iter();
        partitions.map(move |partition| (id, partition))
    });
    let mut open = partitions.filter_map(|(id, partition)| {
        let (stable, watermark) = (partition.log.last_stable_offset(), partition.log.high_watermark());
        let told = format!(
            "{}-{} is stable up to {stable} on node {id}, not {watermark}",
            partition.topic, partition.index
        );
        (stable != watermark).then_some(told)
    });
    open.next()
}
