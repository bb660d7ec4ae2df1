//! The options of `kafka-consumer-groups`, and which of them go together.

use crate::scripts::Ending;
use crate::scripts::connecting::command_config;
use crate::scripts::options::{HELP, Opt, Options, Parsed, Takes, VERSION, flag, value};

const ACTIONS: [&str; 6] = [
    "list",
    "describe",
    "delete",
    "reset-offsets",
    "delete-offsets",
    "validate-regex",
];
/// In the order in which Kafka's tool names them.
const SCENARIOS: [&str; 8] = [
    "from-file",
    "to-datetime",
    "by-duration",
    "to-latest",
    "to-current",
    "to-earliest",
    "to-offset",
    "shift-by",
];
/// The order in which Kafka's tool looks for two of them.
const CHECKED: [&str; 8] = [
    "to-offset",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "shift-by",
    "from-file",
];

const fn maybe_value(names: &'static [&'static str], help: &'static str) -> Opt {
    Opt {
        names,
        takes: Takes::MaybeValue("String"),
        help,
    }
}

pub(super) const OPTIONS: Options = Options {
    about: "This tool helps to list, describe, delete and manage the offsets of consumer groups.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        value(
            &["bootstrap-server"],
            "String: server to connect to",
            "REQUIRED, except with --validate-regex: the brokers to ask first, as HOST:PORT.",
        ),
        command_config("String: command config property file"),
        flag(&["list"], "List all consumer groups."),
        flag(
            &["describe"],
            "Show a group's offsets and how far it is behind; or its members, or its state.",
        ),
        flag(&["delete"], "Delete groups without members, with their offsets."),
        flag(
            &["reset-offsets"],
            "Move a group to other offsets; it must have no members. --dry-run (the default) only shows where to, \
             --execute does it, --export prints CSV. One of --to-datetime, --by-duration, --to-earliest, --to-latest, \
             --shift-by, --from-file, --to-current, --to-offset says where; --topic or --all-topics of what.",
        ),
        flag(&["delete-offsets"], "Forget a group's offsets of topics."),
        value(
            &["validate-regex"],
            "String: regex",
            "Say whether a regular expression of topics is valid.",
        ),
        value(
            &["group"],
            "String: consumer group",
            "The group. May be repeated.",
        ),
        flag(&["all-groups"], "All groups."),
        value(
            &["topic"],
            "String: topic",
            "The topic, or topic:0,1,2 for some of its partitions. May be repeated.",
        ),
        flag(&["all-topics"], "All topics that the group has offsets of."),
        flag(
            &["offsets"],
            "With --describe: offsets and lag of each partition (the default).",
        ),
        flag(&["members"], "With --describe: the members."),
        maybe_value(
            &["state"],
            "With --describe: the group's state. With --list: the state of each; with a value only groups in those \
             states, as in --state stable,empty.",
        ),
        maybe_value(
            &["type"],
            "With --list: the type of each; with a value only those, as in --type classic,consumer.",
        ),
        flag(&["verbose"], "With --describe: more columns."),
        value(
            &["timeout"],
            "Long: timeout (ms)",
            "How long one request may take. (default: 30000)",
        ),
        flag(&["dry-run"], "With --reset-offsets: only show."),
        flag(&["execute"], "With --reset-offsets: do it."),
        flag(&["export"], "With --reset-offsets: print CSV."),
        value(
            &["to-offset"],
            "Long: offset",
            "To this offset, or the nearest there is.",
        ),
        value(
            &["from-file"],
            "String: path to CSV file",
            "To the offsets of a file that --export made.",
        ),
        value(
            &["to-datetime"],
            "String: datetime",
            "To the first record at or after YYYY-MM-DDThh:mm:ss.sss, UTC unless it says otherwise.",
        ),
        value(
            &["by-duration"],
            "String: duration",
            "To the first record of so long ago: PnDTnHnMnS.",
        ),
        flag(&["to-earliest"], "To the first record."),
        flag(&["to-latest"], "Behind the last record."),
        flag(
            &["to-current"],
            "To where the group is; behind the last record where it is nowhere.",
        ),
        value(
            &["shift-by"],
            "Long: number-of-offsets",
            "By so many offsets, forward or back.",
        ),
    ],
};

/// What Kafka checks in this order before anything is asked of the cluster.
pub(super) fn check(parsed: &Parsed) -> Result<(), Ending> {
    check_available(parsed)?;
    OPTIONS.help_or_version(parsed)?;
    if !parsed.has("validate-regex") {
        OPTIONS.require(parsed, &["bootstrap-server"])?;
    }
    check_describe(parsed)?;
    check_delete(parsed)?;
    if parsed.has("reset-offsets") {
        check_reset(parsed)?;
    }
    OPTIONS.forbid(parsed, "group", &["all-groups"])?;
    OPTIONS.forbid(parsed, "group", &["list"])?;
    OPTIONS.forbid(parsed, "topic", &["list", "describe"])?;
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        let all: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        return Err(OPTIONS.misuse(format!(
            "Command must include exactly one action: {}",
            all.join(", ")
        )));
    }
    Ok(())
}

/// Some options exist only beside `--describe` or `--list`.
fn check_available(parsed: &Parsed) -> Result<(), Ending> {
    let describe = parsed.has("describe");
    let list = parsed.has("list");
    let unavailable: Vec<&str> = [
        ("members", describe),
        ("offsets", describe),
        ("state", describe || list),
        ("type", list),
        ("verbose", describe),
    ]
    .into_iter()
    .filter(|(name, available)| parsed.has(name) && !available)
    .map(|(name, _)| name)
    .collect();
    if unavailable.is_empty() || parsed.has("help") {
        return Ok(());
    }
    Err(Ending::failure(format!(
        "Option(s) [{}] are unavailable given other options on the command line",
        unavailable.join(", ")
    )))
}

fn check_scope(parsed: &Parsed, action: &str) -> Result<(), Ending> {
    if parsed.has("group") || parsed.has("all-groups") {
        return Ok(());
    }
    Err(OPTIONS.misuse(format!(
        "Option [{action}] takes one of these options: [all-groups], [group]"
    )))
}

fn check_describe(parsed: &Parsed) -> Result<(), Ending> {
    if !parsed.has("describe") {
        return Ok(());
    }
    check_scope(parsed, "describe")?;
    let views = ["members", "offsets", "state"];
    if views.iter().filter(|view| parsed.has(view)).count() > 1 {
        return Err(OPTIONS
            .misuse("Option [describe] takes at most one of these options: [members], [offsets], [state]"));
    }
    if parsed.value("state")?.is_some() {
        return Err(OPTIONS.misuse("Option [describe] does not take a value for [state]"));
    }
    Ok(())
}

fn check_delete(parsed: &Parsed) -> Result<(), Ending> {
    if parsed.has("delete") {
        check_scope(parsed, "delete")?;
        if parsed.has("topic") {
            return Err(OPTIONS.misuse(
                "The consumer does not support topic-specific offset deletion from a consumer group.",
            ));
        }
    }
    if parsed.has("delete-offsets") && !(parsed.has("group") && parsed.has("topic")) {
        return Err(OPTIONS.misuse("Option [delete-offsets] takes the following options: [topic], [group]"));
    }
    Ok(())
}

fn check_reset(parsed: &Parsed) -> Result<(), Ending> {
    if parsed.has("dry-run") && parsed.has("execute") {
        return Err(OPTIONS.misuse("Option [reset-offsets] only accepts one of [execute] and [dry-run]"));
    }
    if !parsed.has("dry-run") && !parsed.has("execute") {
        eprintln!(
            "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will \
             require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if \
             you are scripting this command and want to keep the current default behavior without prompting."
        );
    }
    check_scope(parsed, "reset-offsets")?;
    for scenario in CHECKED {
        let others: Vec<&'static str> = SCENARIOS.into_iter().filter(|other| *other != scenario).collect();
        OPTIONS.forbid(parsed, scenario, &others)?;
    }
    Ok(())
}

/// What is said when `--reset-offsets` does not say where to.
pub(super) fn no_scenario() -> Ending {
    let all: Vec<String> = SCENARIOS.iter().map(|scenario| format!("[{scenario}]")).collect();
    OPTIONS.misuse(format!(
        "Option '[reset-offsets]' requires one of the following scenarios: [{}]",
        all.join(", ")
    ))
}
