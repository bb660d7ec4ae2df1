//! `kafka-groups`: groups of every type.

use super::client_properties::{self, Unmade};
use super::connecting::{self, Unanswered, bootstrap_server, command_config};
use super::java_order::hash_map_order;
use super::options::{HELP, Options, Parsed, VERSION, flag, value};
use super::{Ending, out};
use crate::kafka::wire::ListedGroup;

const TYPES: [&str; 4] = ["Consumer", "Classic", "Share", "Streams"];

const OPTIONS: Options = Options {
    about: "This tool helps to list groups of all types.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: server to connect to"),
        command_config("String: command config property file"),
        flag(&["list"], "List the groups."),
        value(
            &["group-type"],
            "String: type",
            "Only groups of this type: classic, consumer, share or streams.",
        ),
        value(
            &["protocol"],
            "String: protocol",
            "Only groups whose members speak this.",
        ),
        flag(
            &["consumer"],
            "Only groups of consumers: those of type consumer, and classic ones that speak consumer or have only offsets.",
        ),
        flag(&["share"], "Only share groups."),
        flag(&["streams"], "Only groups of Kafka Streams (KIP-1071)."),
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage mistakes on stderr; what the cluster refuses on stdout. Exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = parse(arguments)?;
    check(&parsed)?;
    // Java reads the file before it knows how to tell of failures.
    if let Some(path) = parsed.value("command-config")? {
        client_properties::read(path).map_err(Unmade::hinted)?;
    }
    let mut wire = connecting::wire(&parsed, |ending| ending, "findAllBrokers", told)?;
    let mut groups = wire
        .list_groups()
        .map_err(|error| Unanswered::of_error(&error, "listGroups").ending(told))?;
    hash_map_order(&mut groups, |group| group.id.as_str());
    let wanted = Wanted::of(&parsed)?;
    groups.retain(|group| wanted.takes(group));
    print(&groups);
    Ok(0)
}

fn told(why: &Unanswered) -> Ending {
    Ending::on_stdout(
        1,
        format!("Error while executing groups command : {}", why.message),
    )
}

/// jopt-simple's own mistakes come with the help here, and it wants the server before `--help` is looked at.
fn parse(arguments: &[String]) -> Result<Parsed, Ending> {
    let parsed = OPTIONS
        .parse(arguments)
        .map_err(|ending| OPTIONS.misuse(ending.stderr))?;
    let asks = ["bootstrap-server", "help", "version"];
    if !asks.iter().any(|option| parsed.has(option)) {
        return Err(OPTIONS.misuse("Missing required option(s) [bootstrap-server]"));
    }
    Ok(parsed)
}

fn check(parsed: &Parsed) -> Result<(), Ending> {
    OPTIONS.help_or_version(parsed)?;
    if !parsed.has("list") {
        return Err(OPTIONS.misuse("Command must include exactly one action: --list."));
    }
    if let Some(kind) = parsed.value("group-type")?
        && !TYPES.iter().any(|known| kind.eq_ignore_ascii_case(known))
    {
        return Err(Ending::failure("--group-type must be a valid group type."));
    }
    OPTIONS.forbid(
        parsed,
        "consumer",
        &["group-type", "protocol", "share", "streams"],
    )?;
    OPTIONS.forbid(
        parsed,
        "share",
        &["consumer", "group-type", "protocol", "streams"],
    )?;
    OPTIONS.forbid(
        parsed,
        "streams",
        &["consumer", "group-type", "protocol", "share"],
    )
}

/// Which groups are listed.
struct Wanted {
    kind: Option<String>,
    protocol: Option<String>,
    consumers: bool,
}

impl Wanted {
    fn of(parsed: &Parsed) -> Result<Self, Ending> {
        let by_flag = ["share", "streams"].into_iter().find(|kind| parsed.has(kind));
        Ok(Wanted {
            kind: by_flag.or(parsed.value("group-type")?).map(str::to_owned),
            protocol: parsed.value("protocol")?.map(str::to_owned),
            consumers: parsed.has("consumer"),
        })
    }

    fn takes(&self, group: &ListedGroup) -> bool {
        let is = |kind: &str| group.kind.eq_ignore_ascii_case(kind);
        if self.consumers {
            return is("consumer") || group.protocol == "consumer" || group.protocol.is_empty();
        }
        self.kind.as_deref().is_none_or(is)
            && self
                .protocol
                .as_deref()
                .is_none_or(|protocol| group.protocol == protocol)
    }
}

/// Java's name of a type that the broker names.
fn type_name(told: &str) -> &'static str {
    let known = TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(told));
    known.unwrap_or(if told.is_empty() { "" } else { "Unknown" })
}

fn print(groups: &[ListedGroup]) {
    let rows: Vec<[&str; 3]> = groups
        .iter()
        .map(|group| [group.id.as_str(), type_name(&group.kind), &group.protocol])
        .collect();
    // One width for all columns, in Java's units of UTF-16.
    let width = rows
        .iter()
        .flatten()
        .map(|cell| cell.encode_utf16().count())
        .max();
    let width = width.unwrap_or_default().max(20);
    out(&format!(
        "{:width$} {:width$} {:width$}",
        "GROUP", "TYPE", "PROTOCOL"
    ));
    for [id, kind, protocol] in rows {
        out(&format!("{id:width$} {kind:width$} {protocol:width$} "));
    }
}
