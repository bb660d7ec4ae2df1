//! Clients that we did not write copy a topic exactly once, also while brokers are killed and come back.
//!
//! Each copies numbers from a topic of its own to another one in transactions that hold how far its group has come. What
//! comes out must be every number that went in, once.

use super::*;
use crate::exercises::velib_support::{admin, connection, records};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use velodrome::kafka::record_producer::Outgoing;
use velodrome::kafka::{NewTopic, RecordProducer};

/// How often a program may end by an error that it does not get over, and be started again.
const RESTARTS: usize = 20;
/// Of each topic that numbers come out to.
const PARTITIONS: i32 = 2;
/// How long a number may be on its way while brokers come and go, beside other work.
const LONG: Duration = Duration::from_secs(240);
/// How many of the last lines that a client has said a failure shows.
const LAST_LINES: usize = 30;
/// The pause after each number that goes in.
const PACE: Duration = Duration::from_millis(200);

/// Where a copier's numbers come from and go to.
struct Route {
    bootstrap: String,
    from: String,
    to: String,
    id: String,
    replicas: i32,
    /// For what the program keeps, and what it says.
    folder: TempDir,
}

impl Route {
    fn new(cluster: &Cluster, name: &str, replicas: i32) -> Self {
        let route = Route {
            bootstrap: cluster.bootstrap().to_owned(),
            from: format!("from-{name}"),
            to: format!("to-{name}"),
            id: format!("copier-{name}"),
            replicas,
            folder: tempfile::tempdir().unwrap(),
        };
        for (topic, partitions) in [(&route.from, 1), (&route.to, PARTITIONS)] {
            let in_sync = ("min.insync.replicas".to_owned(), ((replicas + 1) / 2).to_string());
            let topic = NewTopic {
                partitions: Some(partitions),
                replication_factor: Some(replicas),
                configs: [in_sync].into(),
                ..NewTopic::named(topic)
            };
            admin(cluster).create_topic(&topic).unwrap();
        }
        route
    }

    /// Adds what every program is told: the cluster, from where, to where, and its transactional id, also its group's.
    fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.args([&self.bootstrap, &self.from, &self.to, &self.id].map(String::as_str))
    }

    /// The numbers that have come out, as one reads them who begins now.
    fn numbers(&self, cluster: &Cluster) -> Vec<u32> {
        let records = records(cluster, &self.to).into_iter();
        records
            .map(|record| number(&self.to, record.value.as_deref()))
            .collect()
    }
}

/// Fails on what is no number.
fn number(topic: &str, value: Option<&[u8]>) -> u32 {
    let value = String::from_utf8_lossy(value.unwrap_or_default());
    value.parse().unwrap_or_else(|_| panic!("{topic}: {value}"))
}

/// Reads on what comes out, committed records only, whatever becomes of the brokers.
struct Reader {
    consumer: BaseConsumer,
    numbers: BTreeMap<String, Vec<u32>>,
}

impl Reader {
    fn of(cluster: &Cluster, copiers: &[Copier]) -> Self {
        let consumer: BaseConsumer = connection(cluster)
            .client_config()
            .set("group.id", "nobody")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .create()
            .unwrap();
        let mut places = TopicPartitionList::new();
        for copier in copiers {
            for partition in 0..PARTITIONS {
                places
                    .add_partition_offset(&copier.route.to, partition, Offset::Beginning)
                    .unwrap();
            }
        }
        consumer.assign(&places).unwrap();
        Reader {
            consumer,
            numbers: BTreeMap::new(),
        }
    }

    /// Takes what is there, waiting a moment for it.
    fn read(&mut self) {
        let mut wait = Duration::from_millis(100);
        while let Some(read) = self.consumer.poll(wait) {
            wait = Duration::ZERO;
            // A broker that is away is no end of the reading.
            let Ok(message) = read else { continue };
            let number = number(message.topic(), message.payload());
            self.numbers
                .entry(message.topic().to_owned())
                .or_default()
                .push(number);
        }
    }

    fn of_route(&self, route: &Route) -> &[u32] {
        self.numbers.get(&route.to).map_or(&[], Vec::as_slice)
    }
}

/// How a client's program is started.
type Start = fn(&Route) -> Command;

fn programs_here() -> Vec<(&'static str, Start)> {
    let all: [(&str, bool, Start); 7] = [
        ("java", cfg!(peer = "kafka"), by_java),
        ("streams", cfg!(peer = "streams"), by_streams),
        ("librdkafka", cfg!(peer = "python"), |route| {
            by_python(route, "confluent_copy.py")
        }),
        ("kafka-python", cfg!(peer = "python"), |route| {
            by_python(route, "kafka_python_copy.py")
        }),
        ("kafkajs", cfg!(peer = "node"), by_node),
        ("franz-go", cfg!(peer = "go"), |route| by_go(route, "franz_go")),
        ("sarama", cfg!(peer = "go"), |route| by_go(route, "sarama")),
    ];
    let here = all.into_iter().filter(|(_, here, _)| *here);
    here.map(|(name, _, start)| (name, start)).collect()
}

fn by_java(route: &Route) -> Command {
    let mut command = java(program("CopyExactlyOnce.java").to_str().unwrap());
    route.tell(&mut command);
    command
}

fn by_streams(route: &Route) -> Command {
    let mut command = streams_program("StreamsCopy.java", route.folder.path());
    route
        .tell(&mut command)
        .arg(route.replicas.to_string())
        .arg(route.folder.path().join("state"));
    command
}

fn by_python(route: &Route, name: &str) -> Command {
    let mut command = Command::new(peers_folder().join("python/bin/python"));
    route.tell(command.arg(program(name)));
    command
}

fn by_node(route: &Route) -> Command {
    let mut command = Command::new("node");
    route.tell(command.arg(program("kafkajs_copy.js")));
    command
        .env("NODE_PATH", peers_folder().join("node/node_modules"))
        .env("KAFKAJS_NO_PARTITIONER_WARNING", "1");
    command
}

fn by_go(route: &Route, name: &str) -> Command {
    let mut command = Command::new(peers_folder().join("go").join(name));
    route.tell(command.arg("copy"));
    command
}

/// A client's program, started again whenever it ends by an error; killed with the value.
struct Copier {
    name: &'static str,
    route: Route,
    start: Start,
    process: Child,
    restarts: usize,
}

impl Copier {
    fn start(cluster: &Cluster, (name, start): (&'static str, Start), replicas: i32) -> Self {
        let route = Route::new(cluster, name, replicas);
        Copier {
            name,
            process: spawn(&route, start),
            route,
            start,
            restarts: 0,
        }
    }

    /// Starts a program again that has ended by an error.
    fn go_on(&mut self) {
        if self.process.try_wait().unwrap().is_some() {
            self.restarts += 1;
            assert!(
                self.restarts <= RESTARTS,
                "{} does not get over it: {}",
                self.name,
                self.said()
            );
            self.process = spawn(&self.route, self.start);
        }
    }

    fn said(&self) -> String {
        said(self.route.folder.path())
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The last lines that a client has said.
fn said(folder: &Path) -> String {
    let said = fs::read(folder.join("said")).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let passed_over = lines.len().saturating_sub(LAST_LINES);
    lines[passed_over..].join("\n    ")
}

fn spawn(route: &Route, start: Start) -> Child {
    let said = fs::File::options()
        .create(true)
        .append(true)
        .open(route.folder.path().join("said"))
        .unwrap();
    start(route)
        .stdin(Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .spawn()
        .unwrap()
}

/// The programs, and what has come out of them.
struct Copying<'a> {
    cluster: &'a Cluster,
    copiers: Vec<Copier>,
    reader: Reader,
}

impl Copying<'_> {
    /// Waits until every client has so many numbers out.
    #[track_caller]
    fn all_have(&mut self, count: usize, when: &str) {
        let begun = Instant::now();
        let deadline = begun + LONG;
        while self.least() < count {
            assert!(
                Instant::now() < deadline,
                "{when}: not {count} each: {}",
                self.state()
            );
            self.copiers.iter_mut().for_each(Copier::go_on);
            self.reader.read();
        }
        println!("{when}: {count} each after {} ms", begun.elapsed().as_millis());
    }

    fn counts(&self) -> impl Iterator<Item = usize> {
        let routes = self.copiers.iter().map(|copier| &copier.route);
        routes.map(|route| self.reader.of_route(route).len())
    }

    fn least(&self) -> usize {
        self.counts().min().unwrap_or(usize::MAX)
    }

    fn most(&self) -> usize {
        self.counts().max().unwrap_or(0)
    }

    /// How far each is, and what each has said last.
    fn state(&self) -> String {
        let clients = self.copiers.iter().zip(self.counts());
        let told = clients.map(|(copier, count)| {
            let (name, restarts) = (copier.name, copier.restarts);
            format!(
                "{name} {count}, started again {restarts} times:\n    {}",
                copier.said()
            )
        });
        told.collect::<Vec<_>>().join("\n")
    }

    /// Every number has come out once, for who has read all along and for who begins now.
    #[track_caller]
    fn assert_exactly_once(&self, count: usize) {
        let expected: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
        for copier in &self.copiers {
            let read = self.reader.of_route(&copier.route).to_vec();
            for mut numbers in [read, copier.route.numbers(self.cluster)] {
                numbers.sort_unstable();
                assert!(
                    numbers == expected,
                    "{} of {count}: {numbers:?}: {}",
                    copier.name,
                    copier.said()
                );
            }
        }
    }

    /// Waits until every partition has all of its replicas in sync.
    #[track_caller]
    fn all_in_sync(&self) {
        let routes = self.copiers.iter().map(|copier| &copier.route);
        let topics: Vec<String> = routes
            .flat_map(|route| [route.from.clone(), route.to.clone()])
            .chain(["__consumer_offsets".to_owned(), "__transaction_state".to_owned()])
            .collect();
        let behind = || {
            // A broker that is asked may be the one that begins.
            let described = admin(self.cluster).describe_topics(&topics).ok()?;
            let topics = described.into_iter().map(|(_, topic)| topic.ok());
            let topics: Option<Vec<_>> = topics.collect();
            let partitions = topics?.into_iter().flat_map(|topic| topic.partitions);
            Some(
                partitions
                    .filter(|partition| partition.isr.len() < partition.replicas.len())
                    .count(),
            )
        };
        eventually(behind, |behind| *behind == Some(0));
    }
}

/// Writes 0, 1, 2 … to every topic until `over`; answers how many.
fn feed(cluster: &Cluster, topics: &[String], over: &AtomicBool) -> usize {
    let producer = RecordProducer::patient(&connection(cluster)).unwrap();
    let mut count = 0;
    while !over.load(Ordering::Acquire) {
        let value = count.to_string();
        for topic in topics {
            let record = Outgoing {
                topic,
                value: Some(value.as_bytes()),
                ..Outgoing::default()
            };
            producer.send(record).unwrap();
        }
        count += 1;
        std::thread::park_timeout(PACE);
    }
    let deadline = Instant::now() + LONG;
    while !producer.flush_for(Duration::from_secs(1)).unwrap() {
        assert!(Instant::now() < deadline, "the numbers do not go in");
    }
    count
}

/// Runs all clients that are here, feeds them, does something in the meantime, and looks what came out.
fn copied_exactly_once(cluster: &Cluster, replicas: i32, meanwhile: impl FnOnce(&mut Copying<'_>)) {
    let copiers: Vec<Copier> = programs_here()
        .into_iter()
        .map(|program| Copier::start(cluster, program, replicas))
        .collect();
    let topics: Vec<String> = copiers.iter().map(|copier| copier.route.from.clone()).collect();
    let mut copying = Copying {
        cluster,
        reader: Reader::of(cluster, &copiers),
        copiers,
    };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| feed(cluster, &topics, &over));
        // What fails in here must not leave the feeder at work, which the scope waits for.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| meanwhile(&mut copying)));
        over.store(true, Ordering::Release);
        let count = feeding.join().unwrap();
        if let Err(failure) = done {
            std::panic::resume_unwind(failure);
        }
        copying.all_have(count, "at the end");
        copying.assert_exactly_once(count);
    });
}

#[test]
#[cfg_attr(
    not(any(peer = "kafka", peer = "streams", peer = "python", peer = "node", peer = "go")),
    ignore = "no client with transactions is here: scripts/dev/test fetches them"
)]
fn every_client_copies_exactly_once_on_one_broker() {
    copied_exactly_once(&Cluster::classroom(), 1, |copying| {
        copying.all_have(20, "at first")
    });
}

#[test]
#[cfg_attr(
    not(any(peer = "kafka", peer = "streams", peer = "python", peer = "node", peer = "go")),
    ignore = "no client with transactions is here: scripts/dev/test fetches them"
)]
fn every_client_copies_exactly_once_while_brokers_are_killed_and_come_back() {
    let cluster = Cluster::classroom_of(3);
    copied_exactly_once(&cluster, 3, |copying| {
        copying.all_have(10, "at first");
        for broker in [2, 3] {
            classroom(&cluster).kill_broker(broker);
            let before = copying.most();
            copying.all_have(before + 10, &format!("without broker {broker}"));
            classroom(&cluster).start_broker(broker);
            copying.all_in_sync();
        }
    });
}
