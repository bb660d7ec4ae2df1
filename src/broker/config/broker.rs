//! The settings of a broker.

use super::definition::{Definition, Kind};
use std::collections::BTreeMap;

const fn setting(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Definition {
    Definition {
        name,
        kind,
        default: Some(default),
        doc,
    }
}

const fn unset(name: &'static str, kind: Kind, doc: &'static str) -> Definition {
    Definition {
        name,
        kind,
        default: None,
        doc,
    }
}

const INT: Kind = Kind::Int { min: 0 };
const POSITIVE: Kind = Kind::Int { min: 1 };
const LONG: Kind = Kind::Long { min: i64::MIN };
const STRING: Kind = Kind::String;
const LIST: Kind = Kind::List;

/// Every broker setting that acts here.
pub static BROKER_SETTINGS: &[Definition] = &[
    setting("node.id", INT, "1", "Id of this node, unique in the cluster."),
    setting(
        "broker.id",
        Kind::Int { min: -1 },
        "-1",
        "The name of node.id in older files.",
    ),
    setting(
        "process.roles",
        LIST,
        "broker,controller",
        "What this node is: broker, controller, or both.",
    ),
    setting(
        "listeners",
        LIST,
        "PLAINTEXT://:9092",
        "Addresses to bind, as NAME://HOST:PORT.",
    ),
    unset(
        "advertised.listeners",
        LIST,
        "Addresses that clients are told, when they differ from listeners.",
    ),
    setting(
        "controller.listener.names",
        LIST,
        "CONTROLLER",
        "Names of the listeners that serve the controller.",
    ),
    setting(
        "controller.quorum.voters",
        LIST,
        "",
        "The controllers, as ID@HOST:PORT.",
    ),
    setting(
        "controller.quorum.bootstrap.servers",
        LIST,
        "",
        "Where to find the controllers, as HOST:PORT.",
    ),
    setting(
        "inter.broker.listener.name",
        STRING,
        "PLAINTEXT",
        "The listener that brokers use among themselves.",
    ),
    setting(
        "listener.security.protocol.map",
        STRING,
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "Which protocol each listener name stands for; PLAINTEXT is the only one here.",
    ),
    setting(
        "log.dir",
        STRING,
        "/tmp/kafka-logs",
        "Folder of the data, unless log.dirs is given.",
    ),
    unset("log.dirs", STRING, "Folder of the data."),
    setting(
        "num.partitions",
        POSITIVE,
        "1",
        "Partitions of a topic that is created without saying how many.",
    ),
    setting(
        "socket.request.max.bytes",
        POSITIVE,
        "104857600",
        "The largest request in bytes; a larger one closes the connection.",
    ),
    setting(
        "connections.max.idle.ms",
        LONG,
        "600000",
        "A connection silent for so long is closed.",
    ),
    setting(
        "max.connections",
        INT,
        "2147483647",
        "Connections that may be open at once.",
    ),
    setting(
        "queued.max.request.bytes",
        LONG,
        "-1",
        "Memory of all requests being received, in bytes; -1 for 64 MiB.",
    ),
    setting(
        "fetch.max.bytes",
        Kind::Int { min: 1024 },
        "57671680",
        "The most bytes of records in the answer to one fetch.",
    ),
    setting(
        "log.retention.check.interval.ms",
        Kind::Long { min: 1 },
        "1000",
        "How often retention and compaction are looked after.",
    ),
];

/// The definition of a broker setting.
pub fn definition(name: &str) -> Option<&'static Definition> {
    BROKER_SETTINGS.iter().find(|setting| setting.name == name)
}

/// What Apache Kafka's shipped `config/server.properties` sets.
pub fn shipped_properties() -> BTreeMap<String, String> {
    BTreeMap::new()
}
