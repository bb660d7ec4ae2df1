//! `kafka-verifiable-consumer`: reads in a group, and prints a line of JSON for all that happens to it.

use super::Ending;
use super::argparse::{Arg, Group, Manners, Parsed, Parser, Takes, Type};
use super::client_properties::{self, Properties, reset_policy};
use super::java_words::java_message;
use super::verifiable_producer::{event, file_properties};
use crate::kafka::consumer::Reset;
use crate::kafka::errors::{ErrorCode, KafkaError};
use crate::kafka::group_consumer::Received;
use crate::kafka::group_protocol::check_group_protocol;
use crate::kafka::member::{Happened, Member};
use crate::kafka::{Connection, TopicPartition};
use crate::ui::Interrupt;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest time between a Ctrl-C and its being noticed.
const GLANCE: Duration = Duration::from_millis(50);

/// How many records a Java consumer hands out at once (`max.poll.records`).
const MAX_POLL: usize = 500;

/// `heartbeat.interval.ms` of a Java consumer.
const HEARTBEAT_MS: i64 = 3000;

const CONNECTION: &str = "Connection Group";

/// Java's classes of assignors, and librdkafka's names.
const ASSIGNORS: [(&str, &str); 3] = [
    ("org.apache.kafka.clients.consumer.RangeAssignor", "range"),
    (
        "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        "roundrobin",
    ),
    (
        "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        "cooperative-sticky",
    ),
];

const PARSER: Parser = Parser {
    prog: "verifiable-consumer",
    about: "Reads a topic in a group and prints a line of JSON for each rebalance, each handful of records and each commit.",
    commands: &[],
    groups: &[Group {
        name: CONNECTION,
        title: CONNECTION,
        about: "How to reach the brokers",
        required: true,
    }],
    args: &[
        Arg::new(
            &["--bootstrap-server"],
            Takes::One(Type::Text),
            "HOST1:PORT1[,HOST2:PORT2[...]]",
            "The brokers to ask first.",
        )
        .of(CONNECTION)
        .required(),
        Arg::new(
            &["--topic"],
            Takes::One(Type::Text),
            "TOPIC",
            "The topic to read.",
        )
        .required(),
        Arg::new(
            &["--group-protocol"],
            Takes::One(Type::Text),
            "GROUP-PROTOCOL",
            "How the group agrees: CLASSIC or CONSUMER (KIP-848).",
        )
        .or("classic"),
        Arg::new(
            &["--group-remote-assignor"],
            Takes::One(Type::Text),
            "GROUP-REMOTE-ASSIGNOR",
            "The broker's assignor, with the protocol CONSUMER.",
        ),
        Arg::new(
            &["--group-id"],
            Takes::One(Type::Text),
            "GROUP-ID",
            "The group to read in.",
        )
        .required(),
        Arg::new(
            &["--group-instance-id"],
            Takes::One(Type::Text),
            "GROUP-INSTANCE-ID",
            "The member's name for ever, a static membership.",
        ),
        Arg::new(
            &["--max-messages"],
            Takes::One(Type::Int),
            "MAX-MESSAGES",
            "How many records to read; -1 for ever more.",
        )
        .or("-1"),
        Arg::new(
            &["--session-timeout"],
            Takes::One(Type::Int),
            "TIMEOUT-MS",
            "After how long a silent member counts as dead; not with the protocol CONSUMER.",
        ),
        Arg::flag(&["--verbose"], "Print each record, too"),
        Arg::flag(
            &["--enable-autocommit"],
            "Commit from time to time instead of after each handful of records",
        ),
        Arg::new(
            &["--reset-policy"],
            Takes::One(Type::Text),
            "RESET-POLICY",
            "Where a group that has committed nothing begins: earliest, latest, or none, an error.",
        )
        .or("earliest"),
        Arg::new(
            &["--assignment-strategy"],
            Takes::One(Type::Text),
            "ASSIGNMENT-STRATEGY",
            "How members share partitions, a class of Java's, with the protocol CLASSIC.",
        )
        .or("org.apache.kafka.clients.consumer.RangeAssignor"),
        Arg::old_command_config(&["--consumer.config"]),
        Arg::new(
            &["--command-config"],
            Takes::One(Type::Text),
            "CONFIG-FILE",
            "File of properties of the consumer; the options win over it.",
        ),
        Arg::new(
            &["--close-timeout"],
            Takes::One(Type::Int),
            "CLOSE-TIMEOUT-MS",
            "How long leaving the group may take, in ms.",
        )
        .or("30000"),
    ],
    command_metavar: "",
    manners: Manners::OrFail,
};

/// Runs the script.
///
/// # Errors
/// The help, argparse4j's and the tool's refusals, and a cluster that cannot be reached.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = PARSER.parse_some(arguments)?;
    let mut properties = file_properties(&PARSER, &parsed, "consumer.config")?;
    let membership = membership(&parsed, &properties)?;
    let connection = connection(&parsed, &mut properties)?;
    let interrupt = Interrupt::watch()?;
    let max = parsed.number::<i64>("max-messages").unwrap_or(-1);
    let close_timeout = Duration::from_millis(parsed.number("close-timeout").unwrap_or(0));
    let topic = parsed.value("topic").unwrap_or_default();
    let member = Member::join(&connection, topic, &membership)?;
    event("startup_complete", json!({}));
    // Java's consumer finds out when it first polls.
    let protocol = parsed.value("group-protocol").unwrap_or_default();
    let max = match check_group_protocol(&connection, protocol) {
        Ok(()) => max,
        Err(failure) => {
            terminated(failure.what());
            0
        }
    };
    let mut reading = Reading {
        member,
        left: usize::try_from(max).unwrap_or(usize::MAX),
        commits: !parsed.has("enable-autocommit"),
        verbose: parsed.has("verbose"),
        interrupt,
    };
    reading.read();
    reading
        .member
        .leave(close_timeout)
        .into_iter()
        .for_each(rebalanced);
    event("shutdown_complete", json!({}));
    if interrupt.pressed() {
        return Ok(Interrupt::exit_code());
    }
    // Java's tool says so at any end.
    event("shutdown_requested", json!({}));
    Ok(0)
}

/// The exception that Java's consumer does not begin with.
fn uncaught(what: &str) -> Ending {
    Ending::failure(format!("Exception in thread \"main\" {what}"))
}

/// What makes the member, by librdkafka's names.
fn membership(parsed: &Parsed, properties: &Properties) -> Result<Vec<(&'static str, String)>, Ending> {
    let text = |name: &str| parsed.value(name).map(str::to_owned);
    let protocol = parsed.value("group-protocol").unwrap_or_default().to_uppercase();
    let mut all = vec![
        ("group.protocol", protocol.to_lowercase()),
        ("group.id", text("group-id").unwrap_or_default()),
        ("enable.auto.commit", parsed.has("enable-autocommit").to_string()),
        (
            "auto.offset.reset",
            reset(parsed.value("reset-policy").unwrap_or_default())?,
        ),
    ];
    match protocol.as_str() {
        "CLASSIC" => all.push((
            "partition.assignment.strategy",
            assignors(parsed.value("assignment-strategy").unwrap_or_default())?,
        )),
        "CONSUMER" => all.extend(text("group-remote-assignor").map(|name| ("group.remote.assignor", name))),
        unknown => {
            return Err(uncaught(&format!(
                "java.lang.IllegalArgumentException: No enum constant org.apache.kafka.clients.consumer.GroupProtocol.{unknown}"
            )));
        }
    }
    all.extend(text("group-instance-id").map(|id| ("group.instance.id", id)));
    if let Some(timeout) = parsed.number::<i64>("session-timeout") {
        all.push(("session.timeout.ms", session(timeout, &protocol, properties)?));
    }
    Ok(all)
}

fn session(timeout: i64, protocol: &str, properties: &Properties) -> Result<String, Ending> {
    if protocol == "CONSUMER" {
        return Err(uncaught(
            "org.apache.kafka.common.config.ConfigException: session.timeout.ms cannot be set when group.protocol=CONSUMER",
        ));
    }
    let heartbeat = properties
        .get("heartbeat.interval.ms")
        .and_then(|text| text.parse().ok())
        .unwrap_or(HEARTBEAT_MS);
    if timeout <= heartbeat {
        return Err(uncaught(
            "org.apache.kafka.common.KafkaException: Failed to construct kafka consumer\nCaused by: \
             java.lang.IllegalArgumentException: Heartbeat must be set lower than the session timeout",
        ));
    }
    Ok(timeout.to_string())
}

fn reset(policy: &str) -> Result<String, Ending> {
    match reset_policy(policy)? {
        Reset::Refuse => Ok("error".to_owned()),
        Reset::Earliest | Reset::Latest => Ok(policy.to_owned()),
    }
}

fn assignors(classes: &str) -> Result<String, Ending> {
    let names: Option<Vec<&str>> = classes
        .split(',')
        .map(|class| {
            let known = ASSIGNORS.iter().find(|(known, _)| *known == class.trim());
            known.map(|(_, name)| *name)
        })
        .collect();
    let known: Vec<&str> = ASSIGNORS.iter().map(|(class, _)| *class).collect();
    match names {
        Some(names) => Ok(names.join(",")),
        None => Err(
            uncaught("org.apache.kafka.common.KafkaException: Failed to construct kafka consumer").hint(
                format!(
                    "no Java class can be loaded here; --assignment-strategy takes {}",
                    known.join(", ")
                ),
            ),
        ),
    }
}

/// The options win over the file.
fn connection(parsed: &Parsed, properties: &mut Properties) -> Result<Connection, Ending> {
    for name in [
        "group.id",
        "group.protocol",
        "group.remote.assignor",
        "group.instance.id",
        "partition.assignment.strategy",
        "session.timeout.ms",
        "enable.auto.commit",
        "auto.offset.reset",
    ] {
        properties.remove(name);
    }
    let group = parsed.value("group-id").unwrap_or_default();
    for (name, value) in [
        ("client.id", format!("consumer-{group}-1")),
        // As Java's consumer: a topic that is not there is made, if the cluster does so.
        ("allow.auto.create.topics", "true".to_owned()),
    ] {
        properties.entry(name.to_owned()).or_insert(value);
    }
    let bootstrap = parsed.value("bootstrap-server").unwrap_or_default();
    client_properties::connection(bootstrap, std::mem::take(properties))
}

struct Reading {
    member: Member,
    /// How many records are still to be read.
    left: usize,
    commits: bool,
    verbose: bool,
    interrupt: Interrupt,
}

/// One after the other, the records that came together.
type Handful = Vec<(String, Received)>;

impl Reading {
    fn read(&mut self) {
        let mut handful = Handful::new();
        while self.left > 0 {
            if self.interrupt.pressed() {
                event("shutdown_requested", json!({}));
                return;
            }
            let wait = if handful.is_empty() {
                GLANCE
            } else {
                Duration::ZERO
            };
            let other = match self.member.poll(wait) {
                Some(Happened::Record(topic, record)) => {
                    handful.push((topic, record));
                    if handful.len() < MAX_POLL {
                        continue;
                    }
                    None
                }
                other => other,
            };
            self.settle(std::mem::take(&mut handful));
            match other {
                Some(Happened::Trouble(error)) if is_final(&error) => {
                    terminated(&java_message(&error));
                    return;
                }
                Some(Happened::Trouble(error)) => eprintln!("{}", java_message(&error)),
                Some(other) => rebalanced(other),
                None => {}
            }
        }
    }

    /// Tells of records that came together, and commits them.
    fn settle(&mut self, handful: Handful) {
        if handful.is_empty() {
            return;
        }
        let mut summaries: Vec<Summary> = Vec::new();
        for (topic, record) in handful.iter().take(self.left) {
            if self.verbose {
                tell_record(topic, record);
            }
            let at = TopicPartition::new(topic, record.partition);
            match summaries.iter_mut().find(|known| known.at == at) {
                Some(known) => {
                    known.count += 1;
                    known.last = record.offset;
                }
                None => summaries.push(Summary {
                    at,
                    count: 1,
                    first: record.offset,
                    last: record.offset,
                }),
            }
        }
        self.left -= handful.len().min(self.left);
        let partitions: Vec<Value> = summaries.iter().map(Summary::json).collect();
        event(
            "records_consumed",
            json!({"count": handful.len(), "partitions": partitions}),
        );
        if self.commits {
            let next: Vec<_> = summaries.into_iter().map(|one| (one.at, one.last + 1)).collect();
            tell_commit(&next, self.member.commit(&next).err());
        }
    }
}

/// The records of one partition that came together.
struct Summary {
    at: TopicPartition,
    count: u64,
    first: i64,
    last: i64,
}

impl Summary {
    fn json(&self) -> Value {
        json!({
            "topic": self.at.topic,
            "partition": self.at.partition,
            "count": self.count,
            "minOffset": self.first,
            "maxOffset": self.last,
        })
    }
}

fn terminated(why: &str) {
    eprintln!("Error during processing, terminating consumer process: {why}");
}

fn tell_record(topic: &str, record: &Received) {
    let text = |bytes: &Option<Vec<u8>>| {
        bytes
            .as_deref()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    event(
        "record_data",
        json!({
            "key": text(&record.key),
            "value": text(&record.value),
            "topic": topic,
            "partition": record.partition,
            "offset": record.offset,
        }),
    );
}

fn tell_commit(next: &[(TopicPartition, i64)], refusal: Option<KafkaError>) {
    let offset = |(at, offset): &(TopicPartition, i64)| json!({"topic": at.topic, "partition": at.partition, "offset": offset});
    let offsets: Vec<Value> = next.iter().map(offset).collect();
    event(
        "offsets_committed",
        match refusal {
            None => json!({"offsets": offsets, "success": true}),
            Some(error) => json!({"offsets": offsets, "error": java_message(&error), "success": false}),
        },
    );
}

fn rebalanced(happened: Happened) {
    let (name, partitions) = match happened {
        Happened::Assigned(partitions) => ("partitions_assigned", partitions),
        Happened::Revoked(partitions) => ("partitions_revoked", partitions),
        Happened::Record(..) | Happened::Trouble(_) => return,
    };
    let partition = |at: &TopicPartition| json!({"topic": at.topic, "partition": at.partition});
    let partitions: Vec<Value> = partitions.iter().map(partition).collect();
    event(name, json!({"partitions": partitions}));
}

/// Whether a consumer of Java's ends with this error.
fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.code(),
        ErrorCode::AutoOffsetReset
            | ErrorCode::Fatal
            | ErrorCode::FencedInstanceId
            | ErrorCode::InvalidTopic
            | ErrorCode::TopicAuthorizationFailed
            | ErrorCode::GroupAuthorizationFailed
            | ErrorCode::UnsupportedVersion
            | ErrorCode::UnsupportedAssignor
    )
}
