//! Every script: its name, what runs it, and the friendly command that does the same.

use super::{
    Ending, acls, broker_api_versions, cluster, configs, console_consumer, console_producer, consumer_groups,
    consumer_perf, delete_records, dump_log, e2e_latency, features, get_offsets, groups, leader_election,
    log_dirs, metadata_quorum, old_scripts, producer_perf, reassign_partitions, server, topics, transactions,
    verifiable_consumer, verifiable_producer,
};

/// A shell script of Apache Kafka's.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// Its name without `.sh` or `.bat`.
    pub name: &'static str,
    /// Runs it on its arguments; returns the exit code, or how it ended early.
    pub run: fn(&[String]) -> Result<u8, Ending>,
    /// The friendly command that does the same.
    pub twin: &'static str,
}

/// All of them, by name.
pub const SCRIPTS: &[Script] = &[
    Script {
        name: "kafka-acls",
        run: acls::run,
        twin: "",
    },
    Script {
        name: "kafka-broker-api-versions",
        run: broker_api_versions::run,
        twin: "velo doctor",
    },
    Script {
        name: "kafka-cluster",
        run: cluster::run,
        twin: "velo cluster status",
    },
    Script {
        name: "kafka-configs",
        run: configs::run,
        twin: "velo config",
    },
    Script {
        name: "kafka-console-consumer",
        run: console_consumer::run,
        twin: "velo consume",
    },
    Script {
        name: "kafka-console-producer",
        run: console_producer::run,
        twin: "velo produce",
    },
    Script {
        name: "kafka-consumer-groups",
        run: consumer_groups::run,
        twin: "velo group",
    },
    Script {
        name: "kafka-consumer-offset-checker",
        run: old_scripts::consumer_offset_checker,
        twin: "velo group describe",
    },
    Script {
        name: "kafka-consumer-perf-test",
        run: consumer_perf::run,
        twin: "velo consume",
    },
    Script {
        name: "kafka-delete-records",
        run: delete_records::run,
        twin: "velo records delete",
    },
    Script {
        name: "kafka-dump-log",
        run: dump_log::run,
        twin: "",
    },
    Script {
        name: "kafka-e2e-latency",
        run: e2e_latency::run,
        twin: "velo produce, velo consume",
    },
    Script {
        name: "kafka-features",
        run: features::run,
        twin: "",
    },
    Script {
        name: "kafka-get-offsets",
        run: get_offsets::run,
        twin: "velo offsets",
    },
    Script {
        name: "kafka-groups",
        run: groups::run,
        twin: "velo group",
    },
    Script {
        name: "kafka-leader-election",
        run: leader_election::run,
        twin: "velo topic",
    },
    Script {
        name: "kafka-log-dirs",
        run: log_dirs::run,
        twin: "velo topic list",
    },
    Script {
        name: "kafka-metadata-quorum",
        run: metadata_quorum::run,
        twin: "",
    },
    Script {
        name: "kafka-mirror-maker",
        run: old_scripts::mirror_maker,
        twin: "velo consume, velo produce",
    },
    Script {
        name: "kafka-preferred-replica-election",
        run: old_scripts::preferred_replica_election,
        twin: "",
    },
    Script {
        name: "kafka-producer-perf-test",
        run: producer_perf::run,
        twin: "velo produce",
    },
    Script {
        name: "kafka-reassign-partitions",
        run: reassign_partitions::run,
        twin: "",
    },
    Script {
        name: "kafka-replay-log-producer",
        run: old_scripts::replay_log_producer,
        twin: "velo consume, velo produce",
    },
    Script {
        name: "kafka-run-class",
        run: old_scripts::run_class,
        twin: "",
    },
    Script {
        name: "kafka-server-start",
        run: server::start,
        twin: "velo cluster start",
    },
    Script {
        name: "kafka-server-stop",
        run: server::stop_server,
        twin: "velo cluster stop",
    },
    Script {
        name: "kafka-simple-consumer-shell",
        run: old_scripts::simple_consumer_shell,
        twin: "velo consume",
    },
    Script {
        name: "kafka-storage",
        run: server::storage::run,
        twin: "",
    },
    Script {
        name: "kafka-topics",
        run: topics::run,
        twin: "velo topic",
    },
    Script {
        name: "kafka-transactions",
        run: transactions::run,
        twin: "",
    },
    Script {
        name: "kafka-verifiable-consumer",
        run: verifiable_consumer::run,
        twin: "velo consume",
    },
    Script {
        name: "kafka-verifiable-producer",
        run: verifiable_producer::run,
        twin: "velo produce",
    },
    Script {
        name: "zookeeper-server-start",
        run: server::start_zookeeper,
        twin: "",
    },
    Script {
        name: "zookeeper-server-stop",
        run: server::stop_zookeeper,
        twin: "",
    },
    Script {
        name: "zookeeper-shell",
        run: old_scripts::zookeeper_shell,
        twin: "velo cluster status",
    },
];

/// The script that a program's name or a first word means: `kafka-topics`, `kafka-topics.sh`, `KAFKA-TOPICS.BAT`.
pub fn find(name: &str) -> Option<&'static Script> {
    let stem = stem(name);
    SCRIPTS.iter().find(|script| script.name == stem)
}

/// A script's name without its ending.
pub(super) fn stem(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let stem = [".sh", ".bat", ".exe"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    stem.unwrap_or(&name).to_owned()
}
