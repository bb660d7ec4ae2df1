//! Which of Apache Kafka's scripts are not here. Those that are here are whole.

/// Scripts of Apache Kafka 4.3.1 that are not here, and why.
pub const ABSENT: &[(&str, &str)] = &[
    ("connect-distributed", CONNECT),
    ("connect-mirror-maker", CONNECT),
    ("connect-plugin-path", CONNECT),
    ("connect-standalone", CONNECT),
    ("kafka-client-metrics", "for a fleet of clients"),
    ("kafka-console-share-consumer", SHARE_GROUPS),
    ("kafka-delegation-tokens", "for secured clusters that many share"),
    ("kafka-jmx", "looks into a JVM"),
    ("kafka-metadata-shell", "kafka-dump-log reads the same files"),
    (
        "kafka-replica-verification",
        "compares replicas; `velo topic describe` shows who is in sync",
    ),
    ("kafka-share-consumer-perf-test", SHARE_GROUPS),
    ("kafka-share-groups", SHARE_GROUPS),
    ("kafka-streams-application-reset", STREAMS),
    ("kafka-streams-groups", STREAMS),
    ("kafka-verifiable-share-consumer", SHARE_GROUPS),
    ("trogdor", "tests Kafka itself"),
];

const CONNECT: &str = "Kafka Connect runs plugins for the JVM";
const SHARE_GROUPS: &str = "share groups are not spoken here yet";
const STREAMS: &str = "Kafka Streams is a library for the JVM";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripts::find;

    #[test]
    fn a_script_is_either_here_or_absent() {
        for (name, _) in ABSENT {
            assert!(find(name).is_none(), "{name} is here");
        }
    }
}
