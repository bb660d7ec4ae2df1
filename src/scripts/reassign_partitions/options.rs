//! The options of `kafka-reassign-partitions`, and which of them go together.

use crate::scripts::Ending;
use crate::scripts::connecting::command_config;
use crate::scripts::options::{HELP, Opt, Options, Parsed, Takes, VERSION, flag, value};

const ACTIONS: [&str; 5] = ["generate", "execute", "verify", "cancel", "list"];

const fn maybe_value(names: &'static [&'static str], describes: &'static str, help: &'static str) -> Opt {
    Opt {
        names,
        takes: Takes::MaybeValue(describes),
        help,
    }
}

pub(super) const OPTIONS: Options = Options {
    about: "This tool helps to move topic partitions between replicas.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        maybe_value(
            &["bootstrap-server"],
            "String: Server(s) to use for bootstrapping",
            "The brokers to ask first, as HOST:PORT.",
        ),
        maybe_value(
            &["bootstrap-controller"],
            "String: bootstrap controller to connect to",
            "The controllers to ask in place of brokers, with --cancel and --list.",
        ),
        command_config("String: Admin client property file"),
        flag(
            &["generate"],
            "Propose an assignment of --topics-to-move-json-file to --broker-list, and do nothing.",
        ),
        flag(&["execute"], "Start to move what --reassignment-json-file says."),
        flag(
            &["verify"],
            "Say how far the moves of --reassignment-json-file are; when all are done, lift the throttles.",
        ),
        flag(&["cancel"], "Call off the moves of --reassignment-json-file."),
        flag(&["list"], "List the moves under way."),
        value(
            &["reassignment-json-file"],
            "String: manual assignment json file path",
            "A file such as {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"replicas\": [1,2,3], \"log_dirs\": \
             [\"dir1\",\"dir2\",\"dir3\"]}], \"version\": 1}. log_dirs may be left out; each is an absolute path on its \
             broker, or any.",
        ),
        value(
            &["topics-to-move-json-file"],
            "String: topics to reassign json file path",
            "A file such as {\"topics\": [{\"topic\": \"foo\"}, {\"topic\": \"foo1\"}], \"version\": 1}.",
        ),
        value(
            &["broker-list"],
            "String: brokerlist",
            "The brokers to spread the topics over, as 0,1,2; REQUIRED with --generate.",
        ),
        flag(&["disable-rack-aware"], "Do not mind the brokers' racks."),
        flag(
            &["disallow-replication-factor-change"],
            "Refuse another number of replicas than a partition has.",
        ),
        value(
            &["throttle"],
            "Long: throttle",
            "Between brokers move no more bytes a second than this; at least 1 KB. With --additional it changes the \
             throttle of moves under way. (default: -1, none)",
        ),
        value(
            &["replica-alter-log-dirs-throttle"],
            "Long: replicaAlterLogDirsThrottle",
            "Between the log directories of a broker move no more bytes a second than this. (default: -1, none)",
        ),
        value(
            &["timeout"],
            "Long: timeout",
            "How many ms the moves between log directories may take to begin. (default: 10000)",
        ),
        flag(
            &["additional"],
            "Execute beside moves that are under way, or change their throttle.",
        ),
        flag(&["preserve-throttles"], "Leave the throttles as they are."),
    ],
};

/// What an action needs, and what else it takes.
fn rules(action: &str) -> (&'static [&'static str], &'static [&'static str]) {
    const FILE: &[&str] = &["reassignment-json-file"];
    match action {
        "generate" => (
            &["topics-to-move-json-file", "broker-list"],
            &["bootstrap-server", "command-config", "disable-rack-aware"],
        ),
        "execute" => (
            FILE,
            &[
                "additional",
                "bootstrap-server",
                "command-config",
                "throttle",
                "replica-alter-log-dirs-throttle",
                "timeout",
                "disallow-replication-factor-change",
            ],
        ),
        "verify" => (
            FILE,
            &["bootstrap-server", "command-config", "preserve-throttles"],
        ),
        "cancel" => (
            FILE,
            &[
                "bootstrap-server",
                "bootstrap-controller",
                "command-config",
                "preserve-throttles",
                "timeout",
            ],
        ),
        _ => (
            &[],
            &["bootstrap-server", "bootstrap-controller", "command-config"],
        ),
    }
}

/// What Kafka checks in this order before anything is asked of the cluster; the one action.
pub(super) fn check(parsed: &Parsed) -> Result<&'static str, Ending> {
    OPTIONS.help_or_version(parsed)?;
    let given: Vec<&'static str> = ACTIONS.into_iter().filter(|action| parsed.has(action)).collect();
    let [action] = given[..] else {
        let all: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        return Err(OPTIONS.misuse(format!(
            "Command must include exactly one action: {}",
            all.join(", ")
        )));
    };
    match (parsed.has("bootstrap-server"), parsed.has("bootstrap-controller")) {
        (true, true) => {
            return Err(
                OPTIONS.misuse("Please don't specify both --bootstrap-server and --bootstrap-controller")
            );
        }
        (false, false) => {
            return Err(OPTIONS.misuse("Please specify either --bootstrap-server or --bootstrap-controller"));
        }
        _ => {}
    }
    let (required, permitted) = rules(action);
    OPTIONS.require(parsed, required)?;
    let mut given = parsed.order.iter();
    let stray = given.find(|name| **name != action && !required.contains(name) && !permitted.contains(name));
    match stray {
        Some(name) => Err(OPTIONS.misuse(format!(
            "Option \"[{name}]\" can't be used with action \"[{action}]\""
        ))),
        None => Ok(action),
    }
}
