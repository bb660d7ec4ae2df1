//! The command lines of the courses that people follow, typed as they stand there, in their order, into shells on
//! terminals. What a text calls `HOST` or `localhost:9092` is the cluster of the test.
//!
//! Not typed here: `python velib-*.py` (the Python lesson's test runs such programs), and what needs several brokers
//! in one cluster, which one classroom cluster does not have yet: of `TopicA` with two copies the refusal is seen.
#![cfg(unix)]

use crate::support::terminal::Terminal;
use crate::support::velo::Home;
use expectrl::{ControlCode, Regex};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The shells' prompt ends with it; the exit code of the last command stands before.
const PROMPT: &str = r"\[(\d+)\]% ";

/// A folder as Kafka unpacks: `bin`, `bin/windows`, `config`.
struct Desk {
    home: Home,
    kafka: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let home = Home::new();
        let kafka = home.path().join("kafka");
        let windows = kafka.join("bin/windows");
        fs::create_dir_all(&windows).unwrap();
        fs::create_dir_all(kafka.join("config")).unwrap();
        for entry in fs::read_dir("scripts").unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "sh") {
                let name = path.file_name().unwrap();
                fs::copy(&path, kafka.join("bin").join(name)).unwrap();
                // Batch files are Windows' own; the binary that is called by their names runs them as well.
                symlink(velo(), windows.join(name)).unwrap();
                symlink(velo(), windows.join(name).with_extension("bat")).unwrap();
            }
        }
        Desk { home, kafka }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.kafka.join("config").join(name), text).unwrap();
    }

    fn data(&self, name: &str) -> String {
        self.kafka.join(name).display().to_string()
    }

    /// A shell in Kafka's folder, with the scripts and `velo` on `PATH`.
    fn terminal(&self) -> Shell {
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            self.kafka.join("bin").display(),
            velo().parent().unwrap().display()
        );
        let mut command = Command::new("bash");
        command
            .args(["--norc", "--noprofile", "--noediting", "-i"])
            .current_dir(&self.kafka)
            .env("PATH", path)
            .env("VELO_HOME", self.home.path())
            .env("PS1", "[$?]% ")
            .env("LANG", "C");
        let mut shell = Shell(Terminal::on(command));
        shell.ends();
        shell
    }
}

fn velo() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_velo"))
}

/// A shell on a terminal.
struct Shell(Terminal);

impl Shell {
    /// Types a line.
    fn types(&mut self, line: &str) {
        self.0.send_line(line);
    }

    /// Waits until a pattern is shown, and returns what it found.
    #[track_caller]
    fn shows(&mut self, pattern: &str) -> String {
        let found = self.0.expect(Regex(pattern));
        String::from_utf8_lossy(found.get(0).unwrap()).into_owned()
    }

    /// Waits for the prompt: what was shown before it, and the exit code.
    #[track_caller]
    fn ends(&mut self) -> (String, i32) {
        let found = self.0.expect(Regex(PROMPT));
        let shown = String::from_utf8_lossy(found.before()).replace("\r\n", "\n");
        let code = String::from_utf8_lossy(found.get(1).unwrap()).parse().unwrap();
        (shown, code)
    }

    /// Types a command that must succeed, and returns what it showed.
    #[track_caller]
    fn runs(&mut self, line: &str) -> String {
        self.types(line);
        let (shown, code) = self.ends();
        assert_eq!(code, 0, "{line}\n{shown}");
        shown
    }

    /// Types a command of an old text, and then the line that its hint names, with the cluster's own address.
    #[track_caller]
    fn learns(&mut self, line: &str, server: &str) -> String {
        self.types(line);
        let (shown, code) = self.ends();
        assert_eq!(code, 1, "{shown}");
        let hint = shown.lines().find_map(|shown| shown.strip_prefix("hint: "));
        let hint = hint.unwrap_or_else(|| panic!("no hint: {shown}"));
        self.runs(&hint.replace("localhost:9092", server))
    }

    fn interrupts(&mut self) {
        self.0.send(ControlCode::EndOfText);
    }

    fn ends_input(&mut self) {
        self.0.send(ControlCode::EndOfTransmission);
    }
}

#[test]
fn the_french_class_of_2018() {
    let desk = Desk::new();
    let data = desk.data("zookeeper");
    desk.write(
        "zookeeper.properties",
        &format!("dataDir={data}\nclientPort=0\nmaxClientCnxns=0\n"),
    );
    let mut zookeeper = desk.terminal();
    zookeeper.types("./bin/zookeeper-server-start.sh ./config/zookeeper.properties");
    let at = zookeeper.shows(r"started at (\S+:\d+)\r?\n");
    let controller = at.trim_end().rsplit(' ').next().unwrap();
    let logs = desk.data("kafka-logs");
    desk.write(
        "server.properties",
        &format!("broker.id=0\nlisteners=PLAINTEXT://:0\nlog.dirs={logs}\nzookeeper.connect={controller}\n"),
    );
    let mut broker = desk.terminal();
    broker.types("./bin/kafka-server-start.sh ./config/server.properties");
    let at = broker.shows(r"started at (\S+:\d+)\r?\n");
    let server = at.trim_end().rsplit(' ').next().unwrap().to_owned();

    let mut third = desk.terminal();
    let shown = third.learns(
        "./bin/kafka-topics.sh --create --zookeeper localhost:2181 --replication-factor 1 --partitions 1 \
         --topic velib-stations",
        &server,
    );
    assert!(shown.contains("Created topic velib-stations.\n"), "{shown}");
    third.learns(
        "./bin/kafka-topics.sh --alter --zookeeper localhost:2181 --topic velib-stations --partitions 10",
        &server,
    );
    for setting in ["retention.ms=4000", "segment.ms=2000"] {
        let shown = third.learns(
            &format!(
                "./bin/kafka-configs.sh --zookeeper localhost:2181 --entity-type topics --entity-name \
                 velib-stations --alter --add-config {setting}"
            ),
            &server,
        );
        assert!(
            shown.contains("Completed updating config for topic velib-stations."),
            "{shown}"
        );
    }
    let shown = third.runs(&format!(
        "./bin/kafka-topics.sh --describe --topic velib-stations --bootstrap-server {server}"
    ));
    assert!(
        shown.contains("PartitionCount: 10")
            && shown.contains("retention.ms=4000")
            && shown.contains("segment.ms=2000"),
        "{shown}"
    );
    for mut node in [broker, zookeeper] {
        node.interrupts();
        node.ends();
    }
}

on_both_clusters! {
    fn the_french_class_on_windows(cluster) {
        let desk = Desk::new();
        let (server, topic) = (cluster.bootstrap(), cluster.name("topic1"));
        let mut first = desk.terminal();
        // That text's own slip: the broker is given ZooKeeper's settings.
        first.types("./bin/windows/kafka-server-start.sh ./config/zookeeper.properties");
        let (shown, code) = first.ends();
        assert!(code == 1 && shown.contains("ZooKeeper's settings"), "{shown}");
        let shown = first.runs(&format!(
            "./bin/windows/kafka-topics.bat --create --bootstrap-server {server} --topic {topic}"
        ));
        assert!(shown.contains(&format!("Created topic {topic}.\n")), "{shown}");
        let shown = first.runs(&format!("./bin/windows/kafka-topics.bat --list --bootstrap-server {server} | grep {topic}"));
        assert!(shown.lines().any(|line| line == topic), "{shown}");
        let shown = first.runs(&format!("./bin/windows/kafka-topics.bat --describe --bootstrap-server {server} | grep {topic}"));
        assert!(shown.contains(&format!("Topic: {topic}\t")), "{shown}");

        let mut consumer = desk.terminal();
        consumer.types(&format!(
            "./bin/windows/kafka-console-consumer.bat --topic {topic} --bootstrap-server {server}"
        ));
        consumer.shows("KIP-848");
        let shown = first.learns_producer(&topic, server);
        assert!(shown.contains("broker-list is not a recognized option"), "{shown}");
        first.shows(">");
        // A consumer that starts at the end sees what comes once it has its partitions.
        first.types("bonjour");
        first.ends_input();
        first.ends();
    }

    fn the_spanish_class(cluster) {
        let desk = Desk::new();
        let host = cluster.bootstrap();
        let mut first = desk.terminal();
        forget(&desk, host);
        let shown = first.runs(&format!("kafka-topics.sh --create --topic iabd-topic --bootstrap-server {host}"));
        assert!(shown.contains("Created topic iabd-topic.\n"), "{shown}");
        let shown = first.runs(&format!("kafka-topics.sh --list --bootstrap-server {host}"));
        assert!(shown.lines().any(|line| line == "iabd-topic"), "{shown}");
        let shown = first.runs(&format!("kafka-topics.sh --describe --topic iabd-topic --bootstrap-server {host}"));
        assert!(shown.contains("PartitionCount: 1\tReplicationFactor: 1"), "{shown}");
        talk(&desk, &mut first, host);

        first.runs(&format!(
            "kafka-topics.sh --create --topic iabd-topic-p3 --partitions 3 --bootstrap-server {host}"
        ));
        first.runs(&format!("kafka-topics.sh --delete --topic iabd-topic --bootstrap-server {host}"));
        first.types(&format!(
            "kafka-topics.sh --create --topic TopicA --partitions 2 --replication-factor 2 --bootstrap-server {host}"
        ));
        let (shown, code) = first.ends();
        assert!(code == 1 && shown.contains("Error while executing topic command : "), "{shown}");

        first.types(&format!(
            "kafka-console-producer.sh --topic iabd-topic --property \"parse.key=true\" --property \
             \"key.separator=:\" --bootstrap-server {host}"
        ));
        first.shows("--property is deprecated");
        for line in ["clave1:valor1", "clave2:valor2", "customer_id: {\"customer_id\":\"1\"}"] {
            first.shows(">");
            first.types(line);
        }
        first.ends_input();
        first.ends();
        let shown = first.runs(&format!(
            "kafka-console-consumer.sh --topic iabd-topic --from-beginning --max-messages 3 --bootstrap-server \
             {host} --property print.key=true"
        ));
        assert!(shown.contains("customer_id\t {\"customer_id\":\"1\"}\n"), "{shown}");
        share(&desk, &mut first, host);
        forget(&desk, host);
    }
}

impl Shell {
    /// The producer of the old text, and then that of today, which is left at its prompt.
    fn learns_producer(&mut self, topic: &str, server: &str) -> String {
        self.types(&format!(
            "./bin/windows/kafka-console-producer.bat --broker-list {server} --topic {topic}"
        ));
        let (shown, code) = self.ends();
        assert_eq!(code, 1, "{shown}");
        let hint = shown.lines().find_map(|shown| shown.strip_prefix("hint: "));
        self.types(hint.unwrap_or_else(|| panic!("no hint: {shown}")));
        shown
    }
}

/// What an earlier run has left on a cluster that stays.
fn forget(desk: &Desk, host: &str) {
    let at = ["--bootstrap-server", host];
    let topics = "iabd-topic|iabd-topic-p3|iabd-topic-group";
    let delete = ["kafka-topics", "--delete", "--if-exists", "--topic", topics];
    desk.home.velo(&[&delete[..], &at].concat()).succeeds();
    let delete = ["kafka-consumer-groups", "--delete", "--group", "iabd-app1"];
    desk.home.velo(&[&delete[..], &at].concat());
}

/// Three lines in one terminal, read in another, and a fourth that arrives.
fn talk(desk: &Desk, producer: &mut Shell, host: &str) {
    producer.types(&format!(
        "kafka-console-producer.sh --topic iabd-topic --bootstrap-server {host}"
    ));
    for line in ["uno", "dos", "tres"] {
        producer.shows(">");
        producer.types(line);
    }
    let mut consumer = desk.terminal();
    consumer.types(&format!(
        "kafka-console-consumer.sh --topic iabd-topic --from-beginning --bootstrap-server {host}"
    ));
    consumer.shows("uno\r\ndos\r\ntres\r\n");
    producer.shows(">");
    producer.types("cuatro");
    consumer.shows("cuatro\r\n");
    consumer.interrupts();
    let (shown, code) = consumer.ends();
    assert!(shown.contains("Processed a total of 4 messages"), "{shown}");
    assert_eq!(code, 130, "{shown}");
    producer.ends_input();
    producer.ends();
}

/// How long a group may take to settle; far less than a session.
const SETTLES: Duration = Duration::from_secs(60);

/// Asks until the answer satisfies, or fails with the last one.
#[track_caller]
fn until(mut ask: impl FnMut() -> String, satisfies: impl Fn(&str) -> bool) {
    let deadline = std::time::Instant::now() + SETTLES;
    loop {
        let shown = ask();
        if satisfies(&shown) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "still: {shown}");
    }
}

/// Two consumers of one group share the partitions, and leave at once.
fn share(desk: &Desk, first: &mut Shell, host: &str) {
    first.runs(&format!(
        "kafka-topics.sh --create --topic iabd-topic-group --bootstrap-server {host} --partitions 3"
    ));
    let mut consumers = [desk.terminal(), desk.terminal()];
    for consumer in &mut consumers {
        consumer.types(&format!(
            "kafka-console-consumer.sh --topic iabd-topic-group --group iabd-app1 --bootstrap-server {host}"
        ));
        consumer.shows("KIP-848");
    }
    let members = |first: &mut Shell| {
        let shown = first.runs(&format!(
            "kafka-consumer-groups.sh --describe --members --group iabd-app1 --bootstrap-server {host}"
        ));
        shown
            .lines()
            .filter(|line| line.starts_with("iabd-app1 ") && !line.trim_end().ends_with(" 0"))
            .count()
            .to_string()
    };
    until(|| members(first), |shown| shown == "2");
    let list = format!("kafka-consumer-groups.sh --list --bootstrap-server {host}");
    assert!(first.runs(&list).lines().any(|line| line == "iabd-app1"));
    let describe = format!("kafka-consumer-groups.sh --describe --group iabd-app1 --bootstrap-server {host}");
    until(|| first.runs(&describe), |shown| shown.contains("CONSUMER-ID"));
    for (left, consumer) in (0..2).rev().zip(&mut consumers) {
        consumer.interrupts();
        let (shown, code) = consumer.ends();
        assert_eq!(code, 130, "{shown}");
        // It has left: nobody waits for its session of 45 seconds to expire.
        let members = || first.runs(&format!("{describe} --members"));
        let here = |shown: &str| {
            shown
                .lines()
                .filter(|line| line.starts_with("iabd-app1 "))
                .count()
        };
        until(members, |shown| {
            here(shown) == left && !shown.contains("rebalancing")
        });
    }
    let shown = first.runs(&describe);
    assert!(
        shown.contains("Consumer group 'iabd-app1' has no active members."),
        "{shown}"
    );
}
