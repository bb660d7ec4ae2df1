//! `kafka-transactions`: the transactions in a cluster, and ending those that hang.

mod abort;
mod hanging;

use super::Ending;
use super::argparse::{Arg, Command, Manners, Parsed, Parser, Takes, Type, VERSION};
use super::java_order::hash_map_order;
use super::wire_tool::{self, message, print_table, timed_out};
use crate::kafka::{
    ErrorCode, KafkaError, PartitionProducer, TopicPartition, TransactionFilter, TransactionListing, Wire,
};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const TOPIC: Arg = Arg::new(&["--topic"], Takes::One(Type::Text), "TOPIC", "The topic.");
const PARTITION: Arg = Arg::new(
    &["--partition"],
    Takes::One(Type::Int),
    "PARTITION",
    "The partition's number.",
);

const PARSER: Parser = Parser {
    prog: "kafka-transactions.sh",
    about: "This tool shows the transactions of producers in the cluster, and finds and ends those that hang.",
    args: &[
        VERSION,
        Arg::new(
            &["--command-config"],
            Takes::One(Type::Text),
            "FILE",
            "File of connection properties.",
        ),
        Arg::new(
            &["--bootstrap-server"],
            Takes::One(Type::Text),
            "host:port",
            "The brokers to ask first, as HOST:PORT,HOST:PORT.",
        )
        .required(),
    ],
    groups: &[],
    command_metavar: "COMMAND",
    manners: Manners::OrFail,
    commands: &[
        Command {
            name: "list",
            help: "List transactions.",
            args: &[
                Arg::new(
                    &["--duration-filter"],
                    Takes::One(Type::Long),
                    "DURATION_FILTER",
                    "Only those that have been open for longer, in ms; all when negative.",
                ),
                Arg::new(
                    &["--transactional-id-pattern"],
                    Takes::One(Type::Text),
                    "TRANSACTIONAL_ID_PATTERN",
                    "Only those whose transactional id matches this regular expression.",
                ),
            ],
            groups: &[],
        },
        Command {
            name: "describe",
            help: "Describe the transaction of a transactional id.",
            args: &[Arg::new(
                &["--transactional-id"],
                Takes::One(Type::Text),
                "TRANSACTIONAL_ID",
                "The transactional id.",
            )
            .required()],
            groups: &[],
        },
        Command {
            name: "describe-producers",
            help: "Describe who has written to a partition lately.",
            args: &[
                Arg::new(
                    &["--broker-id"],
                    Takes::One(Type::Int),
                    "BROKER_ID",
                    "Ask this replica, not the leader.",
                ),
                TOPIC.required(),
                PARTITION.required(),
            ],
            groups: &[],
        },
        Command {
            name: "abort",
            help: "Abort a transaction that hangs in a partition.",
            args: &[
                TOPIC.required(),
                PARTITION.required(),
                Arg::new(
                    &["--start-offset"],
                    Takes::One(Type::Long),
                    "START_OFFSET",
                    "Where the transaction begins.",
                ),
                Arg::new(
                    &["--producer-id"],
                    Takes::One(Type::Long),
                    "PRODUCER_ID",
                    "The producer's id; before Kafka 3.0, without --start-offset.",
                ),
                Arg::new(
                    &["--producer-epoch"],
                    Takes::One(Type::Short),
                    "PRODUCER_EPOCH",
                    "The producer's epoch.",
                ),
                Arg::new(
                    &["--coordinator-epoch"],
                    Takes::One(Type::Int),
                    "COORDINATOR_EPOCH",
                    "The coordinator's epoch.",
                ),
            ],
            groups: &[],
        },
        Command {
            name: "find-hanging",
            help: "Find transactions that hang.",
            args: &[
                Arg::new(
                    &["--broker-id"],
                    Takes::One(Type::Int),
                    "BROKER_ID",
                    "Look on this broker only.",
                ),
                Arg::new(
                    &["--max-transaction-timeout"],
                    Takes::One(Type::Int),
                    "MAX_TRANSACTION_TIMEOUT",
                    "Leave out transactions younger than this, in minutes.",
                )
                .or("15"),
                TOPIC,
                PARTITION,
            ],
            groups: &[],
        },
        Command {
            name: "forceTerminateTransaction",
            help: "Abort the open transaction of a transactional id.",
            args: &[Arg::new(
                &["--transactionalId"],
                Takes::One(Type::Text),
                "TRANSACTIONALID",
                "The transactional id.",
            )
            .required()],
            groups: &[],
        },
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage or the tool's message on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let given = PARSER.parse(arguments)?;
    match given.command.unwrap_or_default() {
        "list" => list(&given)?,
        "describe" => describe(&given)?,
        "describe-producers" => describe_producers(&given)?,
        "abort" => abort::run(&given)?,
        "find-hanging" => hanging::run(&given)?,
        _ => terminate(&given)?,
    }
    Ok(0)
}

/// A failure as this tool words it.
fn failed(what: impl std::fmt::Display, call: &str) -> impl Fn(KafkaError) -> Ending {
    move |error| failed_for(&what, &message(&error, call))
}

fn failed_for(what: impl std::fmt::Display, why: &str) -> Ending {
    Ending::failure(format!(
        "{what}: {why}. Enable debug logging for additional detail."
    ))
}

fn connect(given: &Parsed, what: &str, call: &str) -> Result<Wire, Ending> {
    let config = given.value("command-config");
    if let Some(path) = config.filter(|path| !Path::new(path).exists()) {
        return Err(failed_for("Failed to load admin client properties", path));
    }
    wire_tool::connected(given, config, call).map_err(|why| {
        why.ending(|told| match told.exception == told.message {
            // No client could be made.
            true => Ending::failure(&told.message),
            // The exception's name is not shown by this tool.
            false => failed_for(what, &told.message),
        })
    })
}

fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// A transaction's state as Java names it.
fn state_name(state: &str) -> &str {
    match state {
        "Empty" | "Ongoing" | "PrepareCommit" | "PrepareAbort" | "CompleteCommit" | "CompleteAbort"
        | "PrepareEpochFence" => state,
        _ => "Unknown",
    }
}

fn list(given: &Parsed) -> Result<(), Ending> {
    const WHAT: &str = "Failed to list transactions";
    const CALL: &str = "listTransactions(api=METADATA)";
    let filter = TransactionFilter {
        states: Vec::new(),
        producers: Vec::new(),
        duration_ms: given.number("duration-filter"),
        pattern: given.value("transactional-id-pattern").map(str::to_owned),
    };
    let listed = connect(given, WHAT, CALL)?
        .list_transactions(&filter)
        .map_err(failed(WHAT, CALL))?;
    let row = |listing: &TransactionListing| {
        [
            listing.transactional_id.clone(),
            listing.coordinator.to_string(),
            listing.producer_id.to_string(),
            state_name(&listing.state).to_owned(),
        ]
    };
    let rows: Vec<_> = listed.iter().map(row).collect();
    print_table(
        ["TransactionalId", "Coordinator", "ProducerId", "TransactionState"],
        &rows,
    );
    Ok(())
}

fn describe(given: &Parsed) -> Result<(), Ending> {
    const CALL: &str = "describeTransactions(api=FIND_COORDINATOR)";
    let id = given.value("transactional-id").unwrap_or_default();
    let what = format!("Failed to describe transaction state of transactional-id `{id}`");
    let mut found = connect(given, &what, CALL)?
        .describe_transaction(id)
        .map_err(|error| match error.code() {
            // A cluster that coordinates no transactions.
            ErrorCode::UnsupportedVersion => failed_for(
                &what,
                &format!(
                    "FindCoordinator request for key `CoordinatorKey(idValue='{id}', type=TRANSACTION)` failed due to an \
                     unexpected error"
                ),
            ),
            _ => failed(&what, CALL)(error),
        })?;
    hash_map_order(&mut found.partitions, |partition| partition);
    let text = |number: Option<i64>| number.map_or("None".to_owned(), |number| number.to_string());
    let partitions: Vec<String> = found.partitions.iter().map(ToString::to_string).collect();
    let row = [
        found.coordinator.to_string(),
        id.to_owned(),
        found.producer_id.to_string(),
        found.producer_epoch.to_string(),
        state_name(&found.state).to_owned(),
        found.timeout_ms.to_string(),
        text(found.started),
        text(found.started.map(|started| now_ms() - started)),
        partitions.join(","),
    ];
    let headers = [
        "CoordinatorId",
        "TransactionalId",
        "ProducerId",
        "ProducerEpoch",
        "TransactionState",
        "TransactionTimeoutMs",
        "CurrentTransactionStartTimeMs",
        "TransactionDurationMs",
        "TopicPartitions",
    ];
    print_table(headers, &[row]);
    Ok(())
}

/// `TRANSACTIONAL_ID_NOT_FOUND`
const NOT_FOUND: i16 = 105;

fn describe_producers(given: &Parsed) -> Result<(), Ending> {
    let partition = partition(given);
    let broker = given.number::<i32>("broker-id");
    let whom = broker.map_or("leader".to_owned(), |id| format!("broker {id}"));
    let what = format!("Failed to describe producers for partition {partition} on {whom}");
    let mut wire = connect(given, &what, PRODUCERS)?;
    let producers = producers_of(&mut wire, &partition, broker).map_err(|error| match error.code() {
        ErrorCode::BrokerNotAvailable => {
            failed_for(&what, &timed_out("describeProducers(api=DESCRIBE_PRODUCERS)"))
        }
        _ => failed(&what, PRODUCERS)(error),
    })?;
    let row = |producer: &PartitionProducer| {
        [
            producer.id.to_string(),
            producer.epoch.to_string(),
            producer.coordinator_epoch.unwrap_or(-1).to_string(),
            producer.last_sequence.to_string(),
            producer.last_timestamp.to_string(),
            producer
                .transaction_start
                .map_or("None".to_owned(), |offset| offset.to_string()),
        ]
    };
    let rows: Vec<_> = producers.iter().map(row).collect();
    let headers = [
        "ProducerId",
        "ProducerEpoch",
        "LatestCoordinatorEpoch",
        "LastSequence",
        "LastTimestamp",
        "CurrentTransactionStartOffset",
    ];
    print_table(headers, &rows);
    Ok(())
}

/// Java's name of the call that looks for a partition's leader.
const PRODUCERS: &str = "describeProducers(api=METADATA)";

fn partition(given: &Parsed) -> TopicPartition {
    let topic = given.value("topic").unwrap_or_default();
    TopicPartition::new(topic, given.number("partition").unwrap_or_default())
}

/// The producers of a partition as `broker` knows them, or without it, its leader.
fn producers_of(
    wire: &mut Wire,
    partition: &TopicPartition,
    broker: Option<i32>,
) -> Result<Vec<PartitionProducer>, KafkaError> {
    let broker = match broker {
        Some(broker) => broker,
        None => leader_of(wire, partition)?,
    };
    wire.describe_producers(partition, broker)
}

/// The leader of a partition. Java looks for one for a minute, and then says that it found none.
fn leader_of(wire: &mut Wire, partition: &TopicPartition) -> Result<i32, KafkaError> {
    use crate::kafka::ErrorCode::{LeaderNotAvailable, OperationTimedOut, UnknownTopicOrPartition};
    let none = || KafkaError::new(OperationTimedOut, "");
    let places = match wire.partition_places(Some(&[&partition.topic])) {
        Err(error) if matches!(error.code(), UnknownTopicOrPartition | LeaderNotAvailable) => {
            return Err(none());
        }
        places => places?,
    };
    let mut places = places.into_iter();
    let place = places.find(|place| place.partition == *partition);
    place.and_then(|place| place.leader).ok_or_else(none)
}

fn terminate(given: &Parsed) -> Result<(), Ending> {
    const CALL: &str = "fenceProducer(api=FIND_COORDINATOR)";
    let id = given.value("transactionalId").unwrap_or_default();
    let what = format!("Failed to force terminate transactionalId `{id}`");
    connect(given, &what, CALL)?
        .terminate_transaction(id)
        .map_err(failed(&what, CALL))
}
