//! A broker's settings file, checked as a whole: the same table for ours and, where Java is, for Apache Kafka's own check.

use crate::support::ending;
use crate::support::java::{PASSING, jvm};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use velodrome::broker::NodeConfig;

/// A file that is fine.
const BASE: [(&str, &str); 6] = [
    ("process.roles", "broker,controller"),
    ("node.id", "1"),
    ("controller.quorum.bootstrap.servers", "localhost:9093"),
    (
        "listeners",
        "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
    ),
    ("controller.listener.names", "CONTROLLER"),
    ("log.dirs", "/tmp/velo-files"),
];

/// What is changed in that file, a line each (`-NAME` takes one out), and what is said of it; nothing if it is fine.
#[rustfmt::skip]
const FILES: &[(&str, &str)] = &[
    ("", ""),
    ("-process.roles", "Missing required configuration \"process.roles\" which has no default value."),
    (
        "process.roles=",
        "Configuration 'process.roles' must not be empty. Valid values include: [broker, controller]",
    ),
    (
        "process.roles=broker,broker",
        "controller.listener.names must not contain a value appearing in the 'listeners' configuration when running \
         KRaft with just the broker role",
    ),
    (
        "process.roles=worker",
        "Invalid value worker for configuration process.roles: String must be one of: broker, controller",
    ),
    ("process.roles=broker,", "Configuration 'process.roles' values must not be empty."),
    ("-node.id", "Missing required configuration \"node.id\" which has no default value."),
    ("node.id=-1", "Invalid value -1 for configuration node.id: Value must be at least 0"),
    ("node.id=2\nbroker.id=3", "`node.id` and `broker.id` must be set to the same value. `broker.id` is deprecated, please use `node.id` instead."),
    ("-node.id\nbroker.id=4", ""),
    (
        "-controller.quorum.bootstrap.servers",
        "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
         controllers or controller.quorum.voters must contain a parseable set of controllers.",
    ),
    (
        "controller.quorum.bootstrap.servers=",
        "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
         controllers or controller.quorum.voters must contain a parseable set of controllers.",
    ),
    (
        "controller.quorum.bootstrap.servers=localhost",
        "Failed to parse host name from localhost for the configuration controller.quorum.bootstrap.servers. Each \
         entry should be in the form \"{host}:{port}\"",
    ),
    (
        "controller.quorum.bootstrap.servers=localhost:x",
        "Failed to parse host name from localhost:x for the configuration controller.quorum.bootstrap.servers. Each \
         entry should be in the form \"{host}:{port}\"",
    ),
    ("controller.quorum.bootstrap.servers=:9093", ""),
    ("controller.quorum.voters=1@localhost:9093", ""),
    ("-controller.quorum.bootstrap.servers\ncontroller.quorum.voters=1@localhost:9093", ""),
    (
        "controller.quorum.voters=2@localhost:9093",
        "If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters \
         controller.quorum.voters=Set(2)",
    ),
    (
        "controller.quorum.voters=localhost:9093",
        "Invalid configuration value for controller.quorum.voters. Each entry should be in the form \
         `{id}@{host}:{port}`.",
    ),
    ("controller.quorum.voters=x@localhost:9093", "Failed to parse voter ID as an integer from x"),
    (
        "controller.quorum.voters=1@localhost",
        "Failed to parse host name from entry 1@localhost for the configuration controller.quorum.voters. Each entry \
         should be in the form `{id}@{host}:{port}`.",
    ),
    ("controller.quorum.voters=1@:9093", ""),
    ("controller.quorum.voters=1@localhost:9093,2@localhost:9094,3@localhost:9095", ""),
    (
        "-controller.listener.names",
        "Missing required configuration \"controller.listener.names\" which has no default value.",
    ),
    (
        "controller.listener.names=",
        "Configuration 'controller.listener.names' must not be empty. Valid values include: any non-empty value",
    ),
    (
        "controller.listener.names=OTHER",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9093]': No \
         security protocol defined for listener CONTROLLER",
    ),
    (
        "controller.listener.names=CONTROLLER,OTHER",
        "controller.listener.names must only contain values appearing in the 'listeners' configuration when running \
         the KRaft controller role",
    ),
    (
        "controller.listener.names=controller",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9093]': No \
         security protocol defined for listener CONTROLLER",
    ),
    (
        "controller.listener.names=PLAINTEXT,CONTROLLER",
        "There must be at least one broker advertised listener. Perhaps all listeners appear in \
         controller.listener.names?",
    ),
    (
        "controller.listener.names=PLAINTEXT",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9093]': No \
         security protocol defined for listener CONTROLLER",
    ),
    (
        "-listeners",
        "controller.listener.names must contain at least one value appearing in the 'listeners' configuration when \
         running the KRaft controller role",
    ),
    ("listeners=", "Configuration 'listeners' must not be empty. Valid values include: any non-empty value"),
    (
        "listeners=PLAINTEXT://localhost:9092",
        "controller.listener.names must contain at least one value appearing in the 'listeners' configuration when \
         running the KRaft controller role",
    ),
    (
        "listeners=CONTROLLER://localhost:9093",
        "There must be at least one broker advertised listener. Perhaps all listeners appear in \
         controller.listener.names?",
    ),
    (
        "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9092",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9092]': Each \
         listener must have a different port, listeners: [PLAINTEXT://localhost:9092, CONTROLLER://localhost:9092]",
    ),
    (
        "listeners=PLAINTEXT://localhost:9092,PLAINTEXT://localhost:9094,CONTROLLER://localhost:9093",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, PLAINTEXT://localhost:9094, \
         CONTROLLER://localhost:9093]': Each listener must have a different name, listeners: \
         [PLAINTEXT://localhost:9092, PLAINTEXT://localhost:9094, CONTROLLER://localhost:9093]",
    ),
    (
        "listeners=PLAINTEXT://localhost:9092,plaintext://localhost:9094,CONTROLLER://localhost:9093",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, plaintext://localhost:9094, \
         CONTROLLER://localhost:9093]': Each listener must have a different name, listeners: \
         [PLAINTEXT://localhost:9092, plaintext://localhost:9094, CONTROLLER://localhost:9093]",
    ),
    ("listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://[::1]:9092", ""),
    (
        "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.2:9092",
        "Error creating broker listeners from '[PLAINTEXT://127.0.0.1:9092, CONTROLLER://127.0.0.2:9092]': If you \
         have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: \
         [PLAINTEXT://127.0.0.1:9092, CONTROLLER://127.0.0.2:9092], port: 9092",
    ),
    (
        "listeners=PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9092",
        "Error creating broker listeners from '[PLAINTEXT://:9092, CONTROLLER://127.0.0.1:9092]': Each listener must \
         have a different port unless exactly one listener has an IPv4 address and the other IPv6 address, \
         listeners: [PLAINTEXT://:9092, CONTROLLER://127.0.0.1:9092], port: 9092",
    ),
    (
        "listeners=localhost:9092,CONTROLLER://localhost:9093",
        "Error creating broker listeners from '[localhost:9092, CONTROLLER://localhost:9093]': Unable to parse \
         localhost:9092 to a broker endpoint",
    ),
    (
        "listeners=PLAINTEXT://localhost,CONTROLLER://localhost:9093",
        "Error creating broker listeners from '[PLAINTEXT://localhost, CONTROLLER://localhost:9093]': Unable to \
         parse PLAINTEXT://localhost to a broker endpoint",
    ),
    (
        "listeners=PLAINTEXT://a b:9092,CONTROLLER://localhost:9093",
        "Error creating broker listeners from '[PLAINTEXT://a b:9092, CONTROLLER://localhost:9093]': Unable to parse \
         PLAINTEXT://a b:9092 to a broker endpoint",
    ),
    (
        "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093,EXTERNAL://localhost:9094",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9093, \
         EXTERNAL://localhost:9094]': No security protocol defined for listener EXTERNAL",
    ),
    (
        "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093,EXTERNAL://localhost:9094\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,EXTERNAL:PLAINTEXT",
        "",
    ),
    (
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9093]': No \
         security protocol defined for listener CONTROLLER",
    ),
    (
        "listener.security.protocol.map=PLAINTEXT:PLAIN,CONTROLLER:PLAINTEXT",
        "Invalid security protocol `PLAIN` defined in listener.security.protocol.map",
    ),
    (
        "listener.security.protocol.map=PLAINTEXT",
        "Error parsing configuration property 'listener.security.protocol.map': begin 0, end -1, length 9",
    ),
    (
        "listener.security.protocol.map=",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, CONTROLLER://localhost:9093]': No \
         security protocol defined for listener PLAINTEXT",
    ),
    (
        "listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093",
        "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.",
    ),
    ("listeners=PLAINTEXT://:9092,CONTROLLER://:9093", ""),
    ("listeners=PLAINTEXT://localhost:9092,CONTROLLER://0.0.0.0:9093", ""),
    (
        "listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093\nadvertised.listeners=PLAINTEXT://localhost:9092",
        "",
    ),
    (
        "listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093\nadvertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
        "",
    ),
    (
        "listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093\nadvertised.listeners=PLAINTEXT://localhost:9092",
        "",
    ),
    (
        "advertised.listeners=PLAINTEXT://0.0.0.0:9092",
        "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.",
    ),
    ("advertised.listeners=PLAINTEXT://:9092", ""),
    (
        "advertised.listeners=",
        "Configuration 'advertised.listeners' must not be empty. Valid values include: any non-empty value",
    ),
    (
        "advertised.listeners=EXTERNAL://localhost:9092",
        "Error creating broker listeners from '[EXTERNAL://localhost:9092]': No security protocol defined for \
         listener EXTERNAL",
    ),
    (
        "advertised.listeners=CONTROLLER://localhost:9093",
        "There must be at least one broker advertised listener. Perhaps all listeners appear in \
         controller.listener.names?",
    ),
    ("advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093", ""),
    (
        "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://0.0.0.0:9093",
        "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.",
    ),
    (
        "advertised.listeners=PLAINTEXT://localhost:9092,PLAINTEXT://localhost:9094",
        "Error creating broker listeners from '[PLAINTEXT://localhost:9092, PLAINTEXT://localhost:9094]': Each \
         listener must have a different name, listeners: [PLAINTEXT://localhost:9092, PLAINTEXT://localhost:9094]",
    ),
    ("advertised.listeners=PLAINTEXT://localhost:0", ""),
    (
        "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\nadvertised.listeners=PLAINTEXT://localhost:9092,EXTERNAL://localhost:9094\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,EXTERNAL:PLAINTEXT",
        "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found \
         PLAINTEXT,EXTERNAL. The valid options based on the current configuration are PLAINTEXT,CONTROLLER",
    ),
    (
        "inter.broker.listener.name=EXTERNAL",
        "Listener with name EXTERNAL defined in inter.broker.listener.name not found in \
         listener.security.protocol.map.",
    ),
    (
        "inter.broker.listener.name=CONTROLLER",
        "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based \
         on currently configured listeners are PLAINTEXT",
    ),
    ("inter.broker.listener.name=plaintext", ""),
    (
        "inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT",
        "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.",
    ),
    (
        "security.inter.broker.protocol=SSL",
        "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based \
         on currently configured listeners are PLAINTEXT",
    ),
    (
        "security.inter.broker.protocol=x",
        "Invalid value x for configuration security.inter.broker.protocol: String must be one of: PLAINTEXT, SSL, \
         SASL_PLAINTEXT, SASL_SSL",
    ),
    (
        "process.roles=broker",
        "controller.listener.names must not contain a value appearing in the 'listeners' configuration when running \
         KRaft with just the broker role",
    ),
    ("process.roles=broker\nlisteners=PLAINTEXT://localhost:9092", ""),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://localhost:9092\ncontroller.quorum.voters=1@localhost:9093",
        "If process.roles contains just the 'broker' role, the node id 1 must not be included in the set of voters \
         controller.quorum.voters=Set(1)",
    ),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://localhost:9092\n-controller.quorum.bootstrap.servers",
        "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
         controllers or controller.quorum.voters must contain a parseable set of controllers.",
    ),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://localhost:9092\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT",
        "Controller listener with name CONTROLLER defined in controller.listener.names not found in \
         listener.security.protocol.map  (an explicit security mapping for each controller listener is required if \
         listener.security.protocol.map is non-empty, or if there are security protocols other than PLAINTEXT in \
         use)",
    ),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://localhost:9092\n-controller.listener.names",
        "Missing required configuration \"controller.listener.names\" which has no default value.",
    ),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://localhost:9092\ncontroller.quorum.auto.join.enable=true",
        "controller.quorum.auto.join.enable is only supported when process.roles contains the 'controller' role.",
    ),
    (
        "process.roles=controller",
        "The listeners config must only contain KRaft controller listeners from controller.listener.names when \
         process.roles=controller",
    ),
    ("process.roles=controller\nlisteners=CONTROLLER://localhost:9093", ""),
    (
        "process.roles=controller\nlisteners=CONTROLLER://localhost:9093\nadvertised.listeners=CONTROLLER://0.0.0.0:9093",
        "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.",
    ),
    ("process.roles=controller\nlisteners=CONTROLLER://0.0.0.0:9093", ""),
    (
        "process.roles=controller\nlisteners=CONTROLLER://localhost:9093\ninter.broker.listener.name=CONTROLLER",
        "controller.listener.names must not contain an explicitly set inter.broker.listener.name configuration value \
         when process.roles=controller'",
    ),
    (
        "process.roles=controller\nlisteners=PLAINTEXT://localhost:9092",
        "The listeners config must only contain KRaft controller listeners from controller.listener.names when \
         process.roles=controller",
    ),
    ("process.roles=controller\nlisteners=CONTROLLER://localhost:9093\ninter.broker.listener.name=PLAINTEXT", ""),
    (
        "process.roles=controller\nlisteners=CONTROLLER://localhost:9093\ncontroller.quorum.voters=2@localhost:9093",
        "If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters \
         controller.quorum.voters=Set(2)",
    ),
    ("log.roll.ms=0", "log.roll.ms must be greater than or equal to 1"),
    ("log.retention.ms=0", "log.retention.ms must be unlimited (-1) or, greater than or equal to 1"),
    ("log.retention.hours=0", "log.retention.ms must be unlimited (-1) or, greater than or equal to 1"),
    ("log.retention.minutes=-5", ""),
    ("log.dirs=", "Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value"),
    ("log.dirs=/a,/a", ""),
    ("log.dirs=/a,,/b", "Configuration 'log.dirs' values must not be empty."),
    ("log.dirs=/a,/b", ""),
    ("-log.dirs", ""),
    (
        "replica.fetch.wait.max.ms=40000",
        "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket \
         timeouts",
    ),
    (
        "replica.fetch.wait.max.ms=40000\nreplica.socket.timeout.ms=50000",
        "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent \
         frequent changes in ISR",
    ),
    (
        "queued.max.request.bytes=100",
        "queued.max.request.bytes must be larger or equal to socket.request.max.bytes",
    ),
    (
        "connections.max.idle.ms=50",
        "connection.failed.authentication.delay.ms=100 should always be less than connections.max.idle.ms=50 to \
         prevent failed authentication responses from timing out",
    ),
    (
        "max.connections.per.ip=0",
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.",
    ),
    ("num.partitions=0", "Invalid value 0 for configuration num.partitions: Value must be at least 1"),
    ("num.partitions= 3 ", ""),
    ("log.cleanup.policy=compact, delete", ""),
    ("log.cleanup.policy=", ""),
    (
        "log.cleanup.policy=x",
        "Invalid value x for configuration log.cleanup.policy: String must be one of: compact, delete",
    ),
    ("auto.create.topics.enable= FALSE", ""),
    (
        "auto.create.topics.enable=no",
        "Invalid value no for configuration auto.create.topics.enable: Expected value to be either true or false",
    ),
    (
        "log.cleaner.dedupe.buffer.size=1000",
        "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.",
    ),
    ("log.roll.hours=0", "Invalid value 0 for configuration log.roll.hours: Value must be at least 1"),
    ("broker.heartbeat.interval.ms=8000", ""),
    (
        "early.start.listeners=X",
        "early.start.listeners contains listener X, but this is not contained in listeners or \
         controller.listener.names",
    ),
    ("message.max.bytes=-1", "Invalid value -1 for configuration message.max.bytes: Value must be at least 0"),
    (
        "offsets.topic.num.partitions=0",
        "Invalid value 0 for configuration offsets.topic.num.partitions: Value must be at least 1",
    ),
    ("no.such.setting=1", ""),
];

/// What ours refuses as well: Kafka takes these addresses, and nobody can reach them.
const NOWHERE: &[&str] = &[
    "advertised.listeners=PLAINTEXT://[::]:9092",
    "advertised.listeners=PLAINTEXT://[0:0:0:0:0:0:0:0]:9092",
    "advertised.listeners=PLAINTEXT://000.000.000.000:9092",
    "advertised.listeners=PLAINTEXT://255.255.255.255:9092",
    "listeners=PLAINTEXT://[::]:9092,CONTROLLER://localhost:9093",
];

fn file(changes: &str) -> BTreeMap<String, String> {
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut file: BTreeMap<String, String> = BASE.map(own).into();
    for line in changes.lines() {
        match line.strip_prefix('-') {
            Some(name) => drop(file.remove(name)),
            None => file.extend(line.split_once('=').map(own)),
        }
    }
    file
}

/// What our check says of a file; nothing if it is fine.
fn said(changes: &str) -> String {
    NodeConfig::check_file(&file(changes)).map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn a_file_is_checked_as_a_whole() {
    for (changes, words) in FILES {
        assert_eq!(said(changes), *words, "{changes}");
    }
}

#[test]
fn an_address_that_nobody_can_reach_is_refused() {
    for changes in NOWHERE {
        let words = said(changes);
        assert!(
            words.starts_with("advertised.listeners cannot use the nonroutable meta-address "),
            "{changes}: {words:?}"
        );
    }
    assert_eq!(
        said("controller.quorum.voters=1@0.0.0.0:9093"),
        "Host string (0.0.0.0) is not routeable"
    );
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka is not here: scripts/dev/test fetches it"
)]
fn apache_kafka_says_the_same_of_each_file() {
    let libs = std::env::var("KAFKA_LIBS").expect("KAFKA_LIBS names Apache Kafka's jars");
    let mut java = jvm("-Xmx256m", Path::new(PASSING))
        .args(["-cp", &format!("{libs}/*")])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/peers/programs/KafkaFiles.java"
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut files = String::new();
    for (changes, _) in FILES {
        let lines = file(changes)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        files.extend(lines.chain(["---\n".to_owned()]));
    }
    java.stdin.take().unwrap().write_all(files.as_bytes()).unwrap();
    let output = String::from_utf8(ending::all_of(java).stdout).unwrap();
    let said: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix("> "))
        .collect();
    assert_eq!(said.len(), FILES.len(), "{output}");
    for ((changes, words), said) in FILES.iter().zip(said) {
        let said = said.strip_prefix("requirement failed: ").unwrap_or(said);
        assert_eq!(said.strip_prefix("fine").unwrap_or(said), *words, "{changes}");
    }
}
