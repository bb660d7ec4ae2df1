//! Every script: its name, what runs it, and the friendly command that does the same.

use super::{
    Ending, configs, console_producer, consumer_groups, delete_records, get_offsets, leader_election, topics,
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
        name: "kafka-configs",
        run: configs::run,
        twin: "velo config",
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
        name: "kafka-delete-records",
        run: delete_records::run,
        twin: "velo records delete",
    },
    Script {
        name: "kafka-get-offsets",
        run: get_offsets::run,
        twin: "velo offsets",
    },
    Script {
        name: "kafka-leader-election",
        run: leader_election::run,
        twin: "velo topic",
    },
    Script {
        name: "kafka-topics",
        run: topics::run,
        twin: "velo topic",
    },
];

/// The script that a program's name or a first word means: `kafka-topics`, `kafka-topics.sh`, `KAFKA-TOPICS.BAT`.
pub fn find(name: &str) -> Option<&'static Script> {
    let name = name.to_ascii_lowercase();
    let stem = [".sh", ".bat", ".exe"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(&name);
    SCRIPTS.iter().find(|script| script.name == stem)
}
