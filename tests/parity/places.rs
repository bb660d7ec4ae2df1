//! The clusters that the cases run on, and what must be there before a group of cases.

use super::cases::{Group, Member, On, Topic, Transaction};
use crate::support::cluster::Cluster;
use crate::support::ending;
use crate::support::raw::ask_at;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use velodrome::broker::storage::uuid_text;
use velodrome::kafka::{Admin, Connection, GroupState, NewTopic, TopicPartition};

/// Nothing to prepare takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The moment of a topic's first record.
const FIRST_MOMENT: i64 = 1_700_000_000_000;

/// A cluster for the cases alone.
pub struct Place {
    /// `velo` or `apache`, as the recording has it.
    pub name: &'static str,
    server: String,
    logs: String,
    _running: Running,
}

enum Running {
    Ours { _cluster: Cluster },
    Apache { _process: Stopped },
}

/// `scripts/dev/real-kafka` with a command that waits for the end of its input.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        ending::ended(&mut self.0);
    }
}

impl Place {
    /// Our own cluster.
    pub fn ours() -> Self {
        let cluster = Cluster::classroom_with(&["node.id=1"]);
        let Cluster::Classroom(classroom) = &cluster else {
            unreachable!("it was made so")
        };
        let logs = std::fs::canonicalize(classroom.data()).unwrap().join("node-1");
        Place {
            name: "velo",
            server: cluster.bootstrap().to_owned(),
            logs: logs.display().to_string(),
            _running: Running::Ours { _cluster: cluster },
        }
    }

    /// A fresh Apache Kafka.
    pub fn apache() -> Self {
        let mut process = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/dev/real-kafka"))
            .args([
                "sh",
                "-c",
                "echo \"$VELO_TEST_KAFKA $VELO_TEST_KAFKA_LOGS\"; exec cat",
            ])
            // Its answers are recorded without an authorizer.
            .env_remove("KAFKA_SECURED")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line = ending::first_line(&mut process);
        let (server, logs) = line.split_once(' ').expect("Apache Kafka did not start");
        Place {
            name: "apache",
            server: server.to_owned(),
            logs: logs.to_owned(),
            _running: Running::Apache {
                _process: Stopped(process),
            },
        }
    }

    /// `HOST:PORT` for a group of cases.
    pub fn server(&self, on: On) -> &str {
        match on {
            // Port 1 is nobody's on loopback.
            On::None => "127.0.0.1:1",
            _ => &self.server,
        }
    }

    /// Makes what a group wants to find.
    pub fn prepare(&self, group: &Group) -> Prepared {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let prepared = Prepared {
            server: self.server(group.cluster).to_owned(),
            dir,
            logs: self.logs.clone(),
            members: Vec::new(),
            transactions: Vec::new(),
        };
        for (name, text) in &group.files {
            let text = group.fill(text, &prepared.server, &path, &self.logs);
            std::fs::write(prepared.dir.path().join(name), text).unwrap();
        }
        if group.topics.is_empty() && group.commits.is_empty() {
            return prepared;
        }
        prepared.on_the_cluster(group)
    }
}

/// A group's things on a cluster; its members leave with the value.
pub struct Prepared {
    pub server: String,
    pub dir: TempDir,
    pub logs: String,
    members: Vec<Leaving>,
    /// Each has one open.
    transactions: Vec<BaseProducer>,
}

/// A console consumer, which leaves its group so that the group can be removed.
struct Leaving(Child);

impl Drop for Leaving {
    fn drop(&mut self) {
        ending::interrupt(&self.0);
        ending::ended(&mut self.0);
    }
}

impl Prepared {
    /// A text of the group with its names put in.
    pub fn fill(&self, group: &Group, text: &str) -> String {
        self.with_ids(self.fill_names(group, text))
    }

    /// Puts a topic's id for `{id:TOPIC}`.
    fn with_ids(&self, mut text: String) -> String {
        while let Some((before, rest)) = text.split_once("{id:") {
            let (topic, after) = rest.split_once('}').unwrap();
            let wanted = MetadataRequestTopic::default().with_name(Some(TopicName(topic.to_owned().into())));
            let request = MetadataRequest::default().with_topics(Some(vec![wanted]));
            let id = ask_at(&self.server, request, 12).topics[0].topic_id;
            text = format!("{before}{}{after}", uuid_text(id));
        }
        text
    }

    fn fill_names(&self, group: &Group, text: &str) -> String {
        let dir = self.dir.path().display().to_string();
        group.fill(text, &self.server, &dir, &self.logs)
    }

    fn admin(&self) -> Admin {
        Admin::connect(&Connection::new(&self.server, None).unwrap()).unwrap()
    }

    fn on_the_cluster(mut self, group: &Group) -> Self {
        let admin = self.admin();
        let topics: Vec<NewTopic> = group
            .topics
            .iter()
            .map(|topic| new_topic(self.fill(group, &topic.name), topic))
            .collect();
        for (name, answer) in admin.create_topics(&topics, false).unwrap() {
            answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for topic in &group.topics {
            self.write(&self.fill(group, &topic.name), topic);
        }
        for commit in &group.commits {
            let topic = self.fill(group, &commit.topic);
            let offsets: Vec<(TopicPartition, i64)> = (0..)
                .zip(&commit.offsets)
                .filter(|(_, offset)| **offset >= 0)
                .map(|(partition, offset)| (TopicPartition::new(&topic, partition), *offset))
                .collect();
            let name = self.fill(group, &commit.group);
            // The coordinator of a new cluster takes a moment.
            eventually(
                || admin.try_alter_group_offsets(&name, &offsets),
                |answer| {
                    answer
                        .as_ref()
                        .is_ok_and(|all| all.iter().all(|(_, one)| one.is_ok()))
                },
            );
        }
        for transaction in &group.transactions {
            let producer = self.begin(group, transaction);
            self.transactions.push(producer);
        }
        for member in &group.members {
            self.join(group, member, &admin);
        }
        self
    }

    fn write(&self, name: &str, topic: &Topic) {
        if topic.records.is_empty() {
            return;
        }
        let producer: BaseProducer = rdkafka::ClientConfig::new()
            .set("bootstrap.servers", &self.server)
            .set("linger.ms", "0")
            .create()
            .unwrap();
        for (moment, record) in (FIRST_MOMENT..).step_by(1000).zip(&topic.records) {
            let mut headers = OwnedHeaders::new();
            for header in &record.h {
                let (key, value) = header.split_once(':').unwrap();
                headers = headers.insert(Header {
                    key,
                    value: Some(value),
                });
            }
            let mut base = BaseRecord::<str, str>::to(name)
                .partition(record.p)
                .timestamp(moment);
            if !record.h.is_empty() {
                base = base.headers(headers);
            }
            base.key = record.k.as_deref();
            base.payload = record.v.as_deref();
            producer.send(base).map_err(|(error, _)| error).unwrap();
            producer.flush(PATIENCE).unwrap();
        }
    }

    fn begin(&self, group: &Group, transaction: &Transaction) -> BaseProducer {
        let producer: BaseProducer = rdkafka::ClientConfig::new()
            .set("bootstrap.servers", &self.server)
            .set("transactional.id", self.fill(group, &transaction.id))
            .set("transaction.timeout.ms", "600000")
            .create()
            .unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        let topic = self.fill(group, &transaction.topic);
        let record = BaseRecord::<str, str>::to(&topic).partition(0).payload("open");
        producer.send(record).map_err(|(error, _)| error).unwrap();
        producer.flush(PATIENCE).unwrap();
        producer
    }

    fn join(&mut self, group: &Group, member: &Member, admin: &Admin) {
        let name = self.fill(group, &member.group);
        let child = Command::new(env!("CARGO_BIN_EXE_velo"))
            .args(["kafka-console-consumer", "--bootstrap-server", &self.server])
            .args(["--topic", &self.fill(group, &member.topic), "--group", &name])
            .args([
                "--consumer-property",
                &format!("group.protocol={}", member.protocol),
            ])
            .env("VELO_HOME", self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.members.push(Leaving(child));
        let members = self.members.len();
        eventually(
            || admin.describe_group(&name),
            |found| {
                found.as_ref().is_ok_and(|found| {
                    found.members.len() == members && matches!(found.state, GroupState::Stable)
                })
            },
        );
    }

    /// Removes what a group and its cases have made, so that the cluster is empty again.
    pub fn remove(self, group: &Group) {
        let admin = self.admin();
        drop(self.members);
        let names = |names: Vec<String>| -> Vec<String> {
            let mine = names.into_iter().filter(|name| name.contains(&group.id));
            mine.collect()
        };
        let (groups, _) = admin.list_groups().unwrap();
        let groups = names(groups.into_iter().map(|group| group.group_id).collect());
        if !groups.is_empty() {
            eventually(
                || admin.delete_groups(&groups),
                |answer| {
                    answer
                        .as_ref()
                        .is_ok_and(|all| all.iter().all(|(_, one)| one.is_ok()))
                },
            );
        }
        let topics = admin.metadata().unwrap().topics;
        let topics = names(topics.into_iter().map(|topic| topic.name).collect());
        if !topics.is_empty() {
            admin.delete_topics(&topics).unwrap();
        }
    }
}

fn new_topic(name: String, topic: &Topic) -> NewTopic {
    let mut configs = topic.configs.clone();
    if !topic.records.is_empty() {
        // Their moments are older than a week.
        configs.insert("retention.ms".to_owned(), "-1".to_owned());
    }
    NewTopic {
        partitions: Some(topic.partitions),
        configs,
        ..NewTopic::named(name)
    }
}

/// Asks until the answer satisfies, or fails with the last one.
fn eventually<T: std::fmt::Debug>(ask: impl Fn() -> T, satisfies: impl Fn(&T) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if satisfies(&answer) {
            return;
        }
        assert!(Instant::now() < deadline, "still: {answer:?}");
        std::thread::yield_now();
    }
}
