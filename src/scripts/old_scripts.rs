//! Scripts and classes that Kafka has dropped: its refusal, then the line to type today.

use super::old_ways::{host, translated};
use super::options::quoted;
use super::{Ending, find};

const USAGE: &str = "USAGE: kafka-run-class.sh [-daemon] [-name servicename] [-loggc] classname [opts]";

/// Classes that courses run by `kafka-run-class`, and the script that does their work.
const CLASSES: &[(&str, &str)] = &[
    ("GetOffsetShell", "kafka-get-offsets"),
    ("ConsoleConsumer", "kafka-console-consumer"),
    ("ConsoleProducer", "kafka-console-producer"),
    ("TopicCommand", "kafka-topics"),
    ("ConfigCommand", "kafka-configs"),
    ("ConsumerGroupCommand", "kafka-consumer-groups"),
    ("AclCommand", "kafka-acls"),
    ("BrokerApiVersionsCommand", "kafka-broker-api-versions"),
    ("ClusterTool", "kafka-cluster"),
    ("FeatureCommand", "kafka-features"),
    ("GroupsCommand", "kafka-groups"),
    ("LeaderElectionCommand", "kafka-leader-election"),
    ("MetadataQuorumCommand", "kafka-metadata-quorum"),
    ("TransactionsCommand", "kafka-transactions"),
    ("Kafka", "kafka-server-start"),
    ("DumpLogSegments", "kafka-dump-log"),
    ("DeleteRecordsCommand", "kafka-delete-records"),
    ("LogDirsCommand", "kafka-log-dirs"),
    ("ReassignPartitionsCommand", "kafka-reassign-partitions"),
    ("StorageTool", "kafka-storage"),
    ("ProducerPerformance", "kafka-producer-perf-test"),
    ("ConsumerPerformance", "kafka-consumer-perf-test"),
    ("EndToEndLatency", "kafka-e2e-latency"),
    ("VerifiableProducer", "kafka-verifiable-producer"),
    ("VerifiableConsumer", "kafka-verifiable-consumer"),
];
/// Answers a command line.
type Answer = fn(&[String]) -> Result<u8, Ending>;
/// Classes of scripts that Kafka has dropped.
const DROPPED: &[(&str, Answer)] = &[
    ("ConsumerOffsetChecker", consumer_offset_checker),
    ("MirrorMaker", mirror_maker),
    (
        "PreferredReplicaLeaderElectionCommand",
        preferred_replica_election,
    ),
    ("ReplayLogProducer", replay_log_producer),
    ("SimpleConsumerShell", simple_consumer_shell),
];
/// How the names begin of those that Kafka 4 still has; it moved the others.
const STILL_THERE: &[&str] = &[
    "org.apache.kafka.tools.",
    "kafka.tools.StorageTool",
    "kafka.Kafka",
];

/// `kafka-run-class CLASS …`: the script of a class that Kafka has today; its refusal for one that it has no more.
///
/// # Errors
/// For a class that is not there, in Java's words, with the line of today; exit code 1.
pub fn run_class(arguments: &[String]) -> Result<u8, Ending> {
    let Some(at) = class_at(arguments) else {
        return Err(Ending::on_stdout(1, USAGE));
    };
    let (class, rest) = match arguments.get(at..) {
        Some([class, rest @ ..]) => (class, rest),
        _ => return Err(Ending::on_stdout(1, USAGE)),
    };
    let name = class.rsplit('.').next().unwrap_or_default();
    let script = CLASSES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, script)| *script);
    if let Some(script) = script
        && STILL_THERE.iter().any(|known| class.starts_with(known))
        && let Some(script) = find(script)
    {
        return Ok(super::run(script, rest));
    }
    let refusal = Ending::failure(format!(
        "Error: Could not find or load main class {class}\nCaused by: java.lang.ClassNotFoundException: {class}"
    ));
    if let Some(script) = script {
        return Err(refusal.hint(line(script, rest)));
    }
    let dropped = DROPPED.iter().find(|(known, _)| *known == name);
    Err(match dropped.map(|(_, answer)| answer(rest)) {
        Some(Err(ending)) => Ending {
            hints: ending.hints,
            ..refusal
        },
        _ => refusal,
    })
}

/// Where the class stands: behind the script's own options.
fn class_at(arguments: &[String]) -> Option<usize> {
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        match argument.as_str() {
            "-name" => at += 2,
            "-daemon" | "-loggc" => at += 1,
            _ => return Some(at),
        }
    }
    None
}

fn line(script: &str, rest: &[String]) -> String {
    let plain = || rest.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    format!("{script}.sh {}", translated(script, rest).unwrap_or_else(plain))
        .trim_end()
        .to_owned()
}

/// `kafka-simple-consumer-shell`, gone since Kafka 1.0.
///
/// # Errors
/// Always: that it is gone, and the console consumer's line; exit code 127, as of a shell that finds no such script.
pub fn simple_consumer_shell(arguments: &[String]) -> Result<u8, Ending> {
    let mut today = vec!["kafka-console-consumer.sh".to_owned()];
    let server = given(arguments, "broker-list").unwrap_or("localhost:9092");
    today.push(format!("--bootstrap-server {}", quoted(server)));
    for (old, new) in [
        ("topic", "topic"),
        ("partition", "partition"),
        ("offset", "offset"),
        ("max-messages", "max-messages"),
    ] {
        if let Some(value) = given(arguments, old) {
            // Its words for the ends were -2 and -1.
            let value = match (old, value) {
                ("offset", "-2") => "earliest",
                ("offset", "-1") => "latest",
                _ => value,
            };
            today.push(format!("--{new} {}", quoted(value)));
        }
    }
    Err(gone("kafka-simple-consumer-shell").hint(today.join(" ")))
}

/// `kafka-replay-log-producer`, gone since Kafka 2.0.
///
/// # Errors
/// Always: that it is gone, and a pipe of today's scripts; exit code 127.
pub fn replay_log_producer(arguments: &[String]) -> Result<u8, Ending> {
    let server = quoted(given(arguments, "broker-list").unwrap_or("localhost:9092"));
    let topic = |name: &str, default: &str| quoted(given(arguments, name).unwrap_or(default));
    Err(gone("kafka-replay-log-producer").hint(format!(
        "kafka-console-consumer.sh --bootstrap-server {server} --topic {} --from-beginning --timeout-ms 10000 | \
         kafka-console-producer.sh --bootstrap-server {server} --topic {}",
        topic("inputtopic", "FROM"),
        topic("outputtopic", "TO")
    )))
}

/// `kafka-preferred-replica-election`, gone since Kafka 3.0.
///
/// # Errors
/// Always: that it is gone, and the line of `kafka-leader-election`; exit code 127.
pub fn preferred_replica_election(arguments: &[String]) -> Result<u8, Ending> {
    let of = match given(arguments, "path-to-json-file") {
        Some(path) => format!("--path-to-json-file {}", quoted(path)),
        None => "--all-topic-partitions".to_owned(),
    };
    let server = server(arguments);
    Err(gone("kafka-preferred-replica-election").hint(format!(
        "kafka-leader-election.sh --bootstrap-server {server} --election-type preferred {of}"
    )))
}

/// `kafka-consumer-offset-checker`, gone since Kafka 1.0.
///
/// # Errors
/// Always: that it is gone, and the line of `kafka-consumer-groups`; exit code 127.
pub fn consumer_offset_checker(arguments: &[String]) -> Result<u8, Ending> {
    let group = match given(arguments, "group") {
        Some(group) => format!("--group {}", quoted(group)),
        None => "--all-groups".to_owned(),
    };
    let server = server(arguments);
    Err(gone("kafka-consumer-offset-checker").hint(format!(
        "kafka-consumer-groups.sh --bootstrap-server {server} --describe {group}"
    )))
}

/// `kafka-mirror-maker`, gone since Kafka 4.0.
///
/// # Errors
/// Always: that it is gone, and how a topic is copied today; exit code 127.
pub fn mirror_maker(arguments: &[String]) -> Result<u8, Ending> {
    let topics = given(arguments, "whitelist").or(given(arguments, "include"));
    let config = |name: &str, option: &str| {
        let file = given(arguments, name);
        file.map_or_else(String::new, |file| format!(" --{option} {}", quoted(file)))
    };
    Err(gone("kafka-mirror-maker")
        .hint(format!(
            "kafka-console-consumer.sh --bootstrap-server FROM:9092 --include {}{} | kafka-console-producer.sh \
             --bootstrap-server TO:9092 --topic TOPIC{}   (one topic)",
            quoted(topics.unwrap_or("TOPIC")),
            config("consumer.config", "command-config"),
            config("producer.config", "command-config"),
        ))
        .hint("connect-mirror-maker.sh mm2.properties, with Apache Kafka itself (many topics)"))
}

/// What ZooKeeper kept under a path, and the line that shows it today.
const KEPT: &[(&str, &str)] = &[
    (
        "/brokers/topics",
        "kafka-topics.sh --bootstrap-server {} --describe",
    ),
    ("/brokers", "kafka-broker-api-versions.sh --bootstrap-server {}"),
    (
        "/controller",
        "kafka-metadata-quorum.sh --bootstrap-server {} describe --status",
    ),
    ("/cluster", "kafka-cluster.sh cluster-id --bootstrap-server {}"),
    (
        "/config/brokers",
        "kafka-configs.sh --bootstrap-server {} --describe --entity-type brokers",
    ),
    (
        "/config",
        "kafka-configs.sh --bootstrap-server {} --describe --entity-type topics",
    ),
    (
        "/consumers",
        "kafka-consumer-groups.sh --bootstrap-server {} --describe --all-groups",
    ),
    ("/kafka-acl", "kafka-acls.sh --bootstrap-server {} --list"),
];

/// `zookeeper-shell`, gone since Kafka 4.0.
///
/// # Errors
/// Always: that it is gone, and what shows today what ZooKeeper kept there; exit code 127.
pub fn zookeeper_shell(arguments: &[String]) -> Result<u8, Ending> {
    let server = format!("{}:9092", host(arguments.first().map_or("", String::as_str)));
    let path = arguments.iter().skip(1).find(|word| word.starts_with('/'));
    let of_path = |kept: &&(&str, &str)| path.is_some_and(|path| path.starts_with(kept.0));
    let found = KEPT.iter().find(of_path);
    let shown = found.map_or(KEPT.get(..3).unwrap_or_default(), std::slice::from_ref);
    let refusal = gone("zookeeper-shell");
    Err(shown.iter().fold(refusal, |refusal, (_, line)| {
        refusal.hint(line.replace("{}", &quoted(&server)))
    }))
}

/// The broker to ask, of a line that may name ZooKeeper only.
fn server(arguments: &[String]) -> String {
    if let Some(server) = given(arguments, "bootstrap-server").or(given(arguments, "broker-list")) {
        return quoted(server);
    }
    let zookeeper = given(arguments, "zookeeper").or(given(arguments, "zkconnect"));
    quoted(&format!("{}:9092", host(zookeeper.unwrap_or_default())))
}

fn gone(script: &str) -> Ending {
    Ending {
        code: 127,
        ..Ending::failure(format!(
            "{script}.sh: command not found: Kafka has dropped this script"
        ))
    }
}

/// The value of `--name value` or `--name=value`.
pub(super) fn given<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(found) = argument
            .trim_start_matches('-')
            .strip_prefix(name)
            .filter(|_| argument.starts_with('-'))
        else {
            continue;
        };
        if found.is_empty() {
            return rest.next().map(String::as_str);
        }
        if let Some(value) = found.strip_prefix('=') {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_class_that_moved_is_refused_with_the_script_of_today() {
        let line = "kafka.tools.GetOffsetShell --broker-list localhost:9092 --topic velib-stations --time -1";
        let ending = run_class(&words(line)).unwrap_err();
        assert!(
            ending
                .stderr
                .starts_with("Error: Could not find or load main class kafka.tools.GetOffsetShell\n")
        );
        assert_eq!(
            ending.hints,
            ["kafka-get-offsets.sh --bootstrap-server localhost:9092 --topic velib-stations --time -1"]
        );
    }

    #[test]
    fn what_zookeeper_told_is_asked_of_a_broker() {
        let hints = |line: &str| zookeeper_shell(&words(line)).unwrap_err().hints;
        assert_eq!(
            hints("zk1:2181 get /brokers/ids/0"),
            ["kafka-broker-api-versions.sh --bootstrap-server zk1:9092"]
        );
        assert_eq!(hints("localhost:2181").len(), 3);
        let line = "kafka.tools.ConsumerOffsetChecker --zkconnect localhost:2181 --group g --topic t";
        let checker = run_class(&words(line)).unwrap_err();
        assert_eq!(checker.code, 1);
        assert_eq!(
            checker.hints,
            ["kafka-consumer-groups.sh --bootstrap-server localhost:9092 --describe --group g"]
        );
        let election = preferred_replica_election(&words("--zookeeper=h:2181/kafka")).unwrap_err();
        assert_eq!(
            election.hints,
            [
                "kafka-leader-election.sh --bootstrap-server h:9092 --election-type preferred --all-topic-partitions"
            ]
        );
    }

    #[test]
    fn dropped_scripts_name_their_successors() {
        let line = "--broker-list h:9092 --topic t --partition 0 --offset -2";
        let ending = simple_consumer_shell(&words(line)).unwrap_err();
        assert_eq!(
            ending.hints,
            ["kafka-console-consumer.sh --bootstrap-server h:9092 --topic t --partition 0 --offset earliest"]
        );
        let line = "--zookeeper z:2181 --broker-list h:9092 --inputtopic a --outputtopic b";
        let ending = replay_log_producer(&words(line)).unwrap_err();
        assert_eq!(ending.code, 127);
        assert!(ending.hints[0].ends_with(
            "--from-beginning --timeout-ms 10000 | kafka-console-producer.sh \
                                           --bootstrap-server h:9092 --topic b"
        ));
    }
}
