//! The settings of a broker that act here, by Kafka's names and with Kafka's defaults.

use super::definition::{Definition, Kind, settings};
use super::topic::POLICIES;
use std::collections::BTreeMap;

const INT: Kind = Kind::Int { min: 0 };
const POSITIVE: Kind = Kind::Int { min: 1 };
const ANY_INT: Kind = Kind::Int { min: i64::MIN };
const LONG: Kind = Kind::Long { min: 0 };
const POSITIVE_LONG: Kind = Kind::Long { min: 1 };
const ANY_LONG: Kind = Kind::Long { min: i64::MIN };
const STRING: Kind = Kind::String;
const LIST: Kind = Kind::List { may_be_empty: false };
const LIST_OR_NONE: Kind = Kind::List { may_be_empty: true };
const ROLES: Kind = Kind::ListOf {
    words: &["broker", "controller"],
    may_be_empty: false,
};
const FLAG: Kind = Kind::Boolean;
const RATIO: Kind = Kind::Double { min: 0.0, max: 1.0 };

/// Settings that a running broker takes over when they are changed; all others are read at start.
pub static DYNAMIC_SETTINGS: &[&str] = &[
    "compression.type",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.cleanable.ratio",
    "log.cleaner.min.compaction.lag.ms",
    "log.cleanup.policy",
    "log.flush.interval.messages",
    "log.flush.interval.ms",
    "log.index.interval.bytes",
    "log.index.size.max.bytes",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.message.timestamp.type",
    "log.retention.bytes",
    "log.retention.ms",
    "log.roll.ms",
    "log.segment.bytes",
    "log.segment.delete.delay.ms",
    "message.max.bytes",
    "min.insync.replicas",
    "producer.id.expiration.ms",
    "transaction.partition.verification.enable",
    "unclean.leader.election.enable",
];

/// Every broker setting that acts here, in the order of names.
pub static BROKER_SETTINGS: &[Definition] = settings! {
    "add.partitions.to.txn.retry.backoff.max.ms": INT, "100", "How long a broker tries to take a partition into a transaction.";
    "add.partitions.to.txn.retry.backoff.ms": INT, "20", "How long it waits before it tries again.";
    "advertised.listeners": LIST, null, "Addresses that clients are told, when they differ from listeners.";
    "auto.create.topics.enable": FLAG, "true", "Whether a topic is made when a client first asks for it.";
    "broker.heartbeat.interval.ms": POSITIVE, "2000", "How often a broker tells the controller that it lives.";
    "broker.id": ANY_INT, "-1", "The name of node.id in older files.";
    "broker.rack": STRING, null, "Where this broker stands; replicas are spread over racks.";
    "broker.session.timeout.ms": POSITIVE, "9000", "A broker not heard of for so long is fenced.";
    "compression.type": Kind::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), "producer",
        "Codec that batches are stored with; producer keeps the producer's.";
    "connections.max.idle.ms": ANY_LONG, "600000", "A connection silent for so long is closed.";
    "controlled.shutdown.enable": FLAG, "true", "Whether a stopping broker hands its leadership over first.";
    "controller.listener.names": LIST, null, "Names of the listeners that serve the controller.";
    "controller.quorum.bootstrap.servers": LIST_OR_NONE, "", "Where to find the controller, as HOST:PORT.";
    "controller.quorum.voters": LIST_OR_NONE, "", "The controller, as ID@HOST:PORT.";
    "default.replication.factor": POSITIVE, "1", "Replicas of a topic that is created without saying how many.";
    "delete.topic.enable": FLAG, "true", "Whether topics may be deleted.";
    "fetch.max.bytes": Kind::Int { min: 1024 }, "57671680", "The most bytes that one fetch is answered with.";
    "group.consumer.heartbeat.interval.ms": POSITIVE, "5000", "Heartbeat interval of consumer groups (KIP-848).";
    "group.consumer.session.timeout.ms": POSITIVE, "45000", "Session timeout of consumer groups (KIP-848).";
    "group.initial.rebalance.delay.ms": INT, "3000", "How long a new classic group waits for further members.";
    "group.max.session.timeout.ms": INT, "1800000", "The longest session timeout a member of a classic group may ask for.";
    "group.max.size": POSITIVE, "2147483647", "Members that a classic group may have.";
    "group.min.session.timeout.ms": INT, "6000", "The shortest session timeout a member of a classic group may ask for.";
    "inter.broker.listener.name": STRING, null, "The listener that brokers use among themselves.";
    "listener.security.protocol.map": STRING,
        "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "Which protocol each listener name stands for; PLAINTEXT is the only one here.";
    "listeners": LIST, "PLAINTEXT://:9092", "Addresses to bind, as NAME://HOST:PORT.";
    "log.cleaner.delete.retention.ms": LONG, "86400000", "How long compaction keeps tombstones.";
    "log.cleaner.max.compaction.lag.ms": POSITIVE_LONG, "9223372036854775807", "A record is compacted at the latest after so long.";
    "log.cleaner.min.cleanable.ratio": RATIO, "0.5", "The dirty part a log must have before it is compacted.";
    "log.cleaner.min.compaction.lag.ms": LONG, "0", "A record is not compacted before so long.";
    "log.cleanup.policy": POLICIES, "delete", "What happens to old records.";
    "log.dir": LIST, "/tmp/kafka-logs", "Folder of the data, unless log.dirs is given.";
    "log.dirs": LIST, null, "Folder of the data.";
    "log.flush.interval.messages": POSITIVE_LONG, "9223372036854775807", "Records after which a log is synced to the disk.";
    "log.flush.interval.ms": LONG, null, "Time after which a log is synced to the disk.";
    "log.index.interval.bytes": INT, "4096", "Bytes between two entries of an offset index.";
    "log.index.size.max.bytes": Kind::Int { min: 4 }, "10485760", "The largest size of an offset index.";
    "log.message.timestamp.after.max.ms": LONG, "3600000", "How far a record's timestamp may lie ahead of the broker's clock.";
    "log.message.timestamp.before.max.ms": LONG, "9223372036854775807", "How far a record's timestamp may lie behind the broker's clock.";
    "log.message.timestamp.type": Kind::OneOf(&["CreateTime", "LogAppendTime"]), "CreateTime", "Whose clock stamps a record.";
    "log.retention.bytes": ANY_LONG, "-1", "Bytes of a partition to keep; -1 for no limit.";
    "log.retention.check.interval.ms": POSITIVE_LONG, "300000", "How often retention and compaction are looked after.";
    "log.retention.hours": ANY_INT, "168", "How long to keep records, in hours.";
    "log.retention.minutes": ANY_INT, null, "How long to keep records, in minutes; goes before hours.";
    "log.retention.ms": ANY_LONG, null, "How long to keep records; goes before minutes and hours.";
    "log.roll.hours": POSITIVE, "168", "Age at which a segment is closed, in hours.";
    "log.roll.ms": LONG, null, "Age at which a segment is closed; goes before hours.";
    "log.segment.bytes": Kind::Int { min: 1_048_576 }, "1073741824", "Size at which a segment is closed.";
    "log.segment.delete.delay.ms": LONG, "60000", "How long the files of a deleted segment stay.";
    "max.connections": INT, "2147483647", "Connections that may be open at once.";
    "max.incremental.fetch.session.cache.slots": INT, "1000", "Fetch sessions that are kept.";
    "message.max.bytes": INT, "1048588", "The largest record batch.";
    "metadata.log.max.record.bytes.between.snapshots": POSITIVE_LONG, "20971520", "Bytes of metadata after which a snapshot is written.";
    "metadata.log.segment.bytes": Kind::Int { min: 8_388_608 }, "1073741824", "Size at which a segment of the metadata log is closed.";
    "min.insync.replicas": POSITIVE, "1", "Replicas that must be in sync for acks=all.";
    "node.id": INT, null, "Id of this node, unique in the cluster.";
    "num.partitions": POSITIVE, "1", "Partitions of a topic that is created without saying how many.";
    "offset.metadata.max.bytes": INT, "4096", "Bytes of text that may go with a committed offset.";
    "offsets.commit.timeout.ms": POSITIVE, "5000", "How long a commit waits for its replicas.";
    "offsets.retention.check.interval.ms": POSITIVE_LONG, "600000", "How often old offsets are looked for.";
    "offsets.retention.minutes": POSITIVE, "10080", "How long the offsets of an empty group are kept.";
    "offsets.topic.num.partitions": POSITIVE, "50", "Partitions of __consumer_offsets.";
    "offsets.topic.replication.factor": POSITIVE, "3", "Replicas of __consumer_offsets.";
    "offsets.topic.segment.bytes": POSITIVE, "104857600", "Segment size of __consumer_offsets.";
    "process.roles": ROLES, null, "What this node is: broker, controller, or both.";
    "producer.id.expiration.ms": POSITIVE, "86400000", "How long an idle producer id is remembered.";
    "queued.max.request.bytes": ANY_LONG, "-1", "Memory of all requests being received; -1 for 64 MiB.";
    "replica.fetch.backoff.ms": INT, "1000", "How long a follower waits before it tries again.";
    "replica.fetch.max.bytes": INT, "1048576", "Bytes of a partition that a follower asks for at once.";
    "replica.fetch.min.bytes": INT, "1", "Bytes that a follower's fetch waits for.";
    "replica.fetch.response.max.bytes": INT, "10485760", "Bytes of all partitions that a follower asks for at once.";
    "replica.fetch.wait.max.ms": INT, "500", "How long a follower's fetch waits for records.";
    "replica.lag.time.max.ms": LONG, "30000", "A follower behind for so long leaves the in-sync replicas.";
    "request.timeout.ms": INT, "30000", "How long a request to another node may take.";
    "socket.listen.backlog.size": POSITIVE, "50", "Connections that may wait to be taken; as many as the system allows, if not set.";
    "socket.request.max.bytes": POSITIVE, "104857600", "The largest request; a larger one closes the connection.";
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": POSITIVE, "10000", "How often transactions that are open for too long are looked for.";
    "transaction.max.timeout.ms": POSITIVE, "900000", "The longest transaction timeout a producer may ask for.";
    "transaction.partition.verification.enable": FLAG, "true", "Whether a transaction's coordinator is asked before its first records are taken.";
    "transaction.remove.expired.transaction.cleanup.interval.ms": POSITIVE, "3600000", "How often idle transactional ids are looked for.";
    "transaction.state.log.min.isr": POSITIVE, "2", "min.insync.replicas of __transaction_state.";
    "transaction.state.log.num.partitions": POSITIVE, "50", "Partitions of __transaction_state.";
    "transaction.state.log.replication.factor": POSITIVE, "3", "Replicas of __transaction_state.";
    "transaction.state.log.segment.bytes": POSITIVE, "104857600", "Segment size of __transaction_state.";
    "transactional.id.expiration.ms": POSITIVE, "604800000", "How long an idle transactional id is remembered.";
    "unclean.leader.election.enable": FLAG, "false", "Whether a replica that is not in sync may lead when no other can.";
};

/// The definition of a broker setting.
pub fn definition(name: &str) -> Option<&'static Definition> {
    BROKER_SETTINGS
        .binary_search_by(|setting| setting.name.cmp(name))
        .ok()
        .map(|found| &BROKER_SETTINGS[found])
}

/// The settings that say the same in other units, a setting itself among them, strongest first.
pub fn synonyms(name: &str) -> &'static [&'static str] {
    match name {
        "log.retention.ms" | "log.retention.minutes" | "log.retention.hours" => {
            &["log.retention.ms", "log.retention.minutes", "log.retention.hours"]
        }
        "log.roll.ms" | "log.roll.hours" => &["log.roll.ms", "log.roll.hours"],
        _ => definition(name).map_or(&[], |definition| std::slice::from_ref(&definition.name)),
    }
}

/// What Apache Kafka's shipped `config/server.properties` sets, as far as it acts here. Retention is looked after every
/// second, not every five minutes: a class wants to see it work.
pub fn shipped_properties() -> BTreeMap<String, String> {
    [
        ("log.retention.check.interval.ms", "1000"),
        ("log.retention.hours", "168"),
        ("log.segment.bytes", "1073741824"),
        ("num.partitions", "1"),
        ("offsets.topic.replication.factor", "1"),
        ("process.roles", "broker,controller"),
        ("socket.request.max.bytes", "104857600"),
        ("transaction.state.log.min.isr", "1"),
        ("transaction.state.log.replication.factor", "1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_in_order_and_their_defaults_are_valid() {
        assert!(BROKER_SETTINGS.is_sorted_by_key(|setting| setting.name));
        for setting in BROKER_SETTINGS {
            assert_eq!(
                setting.default.map(|value| setting.canonical(value)),
                setting.default.map(|value| Ok(value.to_owned()))
            );
        }
        for name in DYNAMIC_SETTINGS {
            assert!(definition(name).is_some(), "{name}");
        }
    }
}
