//! Which of Apache Kafka's scripts are not here, and what to do instead. Those that are here are whole.

use super::Ending;
use super::old_scripts::given;
use super::options::quoted;

/// A script of Apache Kafka 4.4.0 that is not here.
#[derive(Debug, Clone, Copy)]
pub struct Absent {
    /// Its name without `.sh`.
    pub name: &'static str,
    /// Why it is not here.
    pub why: &'static str,
    /// What to type instead; `{b}` stands for `--bootstrap-server` with its value.
    instead: &'static str,
}

const fn absent(name: &'static str, why: &'static str, instead: &'static str) -> Absent {
    Absent { name, why, instead }
}

/// All of them.
pub const ABSENT: &[Absent] = &[
    absent("connect-distributed", CONNECT, FROM_APACHE),
    absent(
        "connect-mirror-maker",
        CONNECT,
        "kafka-console-consumer.sh {b} --topic TOPIC --from-beginning | kafka-console-producer.sh --bootstrap-server \
         OTHER:9092 --topic TOPIC",
    ),
    absent("connect-plugin-path", CONNECT, FROM_APACHE),
    absent("connect-standalone", CONNECT, FROM_APACHE),
    absent(
        "kafka-client-metrics",
        "for a fleet of clients",
        "kafka-configs.sh {b} --describe --entity-type client-metrics",
    ),
    absent(
        "kafka-console-share-consumer",
        SHARE_GROUPS,
        "kafka-console-consumer.sh {b} --topic TOPIC --group GROUP",
    ),
    absent(
        "kafka-delegation-tokens",
        "for secured clusters that many share",
        "kafka-configs.sh {b} --describe --entity-type users   (names and passwords instead of tokens)",
    ),
    absent("kafka-jmx", "looks into a JVM", "velo cluster status"),
    absent(
        "kafka-metadata-shell",
        "kafka-dump-log reads the same files",
        "kafka-dump-log.sh --cluster-metadata-decoder --files LOGDIR/__cluster_metadata-0/00000000000000000000.log",
    ),
    absent(
        "kafka-replica-verification",
        "compares replicas; `velo topic describe TOPIC` shows who is in sync",
        "kafka-topics.sh {b} --describe --under-replicated-partitions",
    ),
    absent(
        "kafka-share-consumer-perf-test",
        SHARE_GROUPS,
        "kafka-consumer-perf-test.sh {b} --topic TOPIC --num-records 1000",
    ),
    absent(
        "kafka-share-groups",
        SHARE_GROUPS,
        "kafka-consumer-groups.sh {b} --list",
    ),
    absent(
        "kafka-streams-application-reset",
        STREAMS,
        "kafka-consumer-groups.sh {b} --group APPLICATION-ID --reset-offsets --to-earliest --all-topics --execute",
    ),
    absent("kafka-streams-groups", STREAMS, "kafka-groups.sh {b} --list"),
    absent(
        "kafka-verifiable-share-consumer",
        SHARE_GROUPS,
        "kafka-verifiable-consumer.sh {b} --topic TOPIC --group-id GROUP",
    ),
    absent(
        "trogdor",
        "tests Kafka itself",
        "kafka-producer-perf-test.sh {b} --topic TOPIC --num-records 1000 --record-size 100 --throughput -1",
    ),
];

const CONNECT: &str = "Kafka Connect runs plugins for the JVM";
const SHARE_GROUPS: &str = "share groups are not spoken here yet";
const STREAMS: &str = "Kafka Streams is a library for the JVM";
const FROM_APACHE: &str = "use the script of Apache Kafka itself; with bootstrap.servers=localhost:9092 it works with \
                           this cluster";

/// The answer to a script that is not here; `None` for a name that is none of Kafka's.
pub fn answer(name: &str, arguments: &[String]) -> Option<Ending> {
    let name = super::table::stem(name);
    let absent = ABSENT.iter().find(|absent| absent.name == name)?;
    let server = quoted(given(arguments, "bootstrap-server").unwrap_or("localhost:9092"));
    let instead = absent
        .instead
        .replace("{b}", &format!("--bootstrap-server {server}"));
    let why = format!("{name}.sh is not here: {}", absent.why);
    Some(
        Ending {
            code: 127,
            ..Ending::failure(why)
        }
        .hint(instead),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripts::find;

    #[test]
    fn a_script_is_either_here_or_absent() {
        for absent in ABSENT {
            assert!(find(absent.name).is_none(), "{} is here", absent.name);
        }
    }

    #[test]
    fn an_absent_script_says_so_and_what_to_do_instead() {
        let arguments = ["--list".to_owned(), "--bootstrap-server=h:1".to_owned()];
        let ending = answer("kafka-share-groups.sh", &arguments).unwrap();
        assert_eq!(
            ending.stderr,
            "kafka-share-groups.sh is not here: share groups are not spoken here yet"
        );
        assert_eq!(
            ending.hints,
            ["kafka-consumer-groups.sh --bootstrap-server h:1 --list"]
        );
        assert_eq!(ending.code, 127);
        assert_eq!(answer("kafka-dance", &[]), None);
    }
}
