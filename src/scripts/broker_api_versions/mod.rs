//! `kafka-broker-api-versions`: which requests each broker knows, and which version Apache Kafka's client would use.

mod known;

use super::connecting::{self, Unanswered, bootstrap_server, command_config};
use super::java_order::hash_map_order;
use super::options::{HELP, Options, Parsed, VERSION};
use super::{Ending, out};
use crate::kafka::wire::ApiRange;
use crate::kafka::{Broker, Wire};
use known::{KNOWN, KnownApi};
use std::collections::BTreeMap;

const OPTIONS: Options = Options {
    about: "This tool helps to retrieve broker version information.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: server(s) to use for bootstrapping"),
        command_config("String: command config property file"),
    ],
};

/// Runs the script.
///
/// # Errors
/// A mistake, or a cluster that does not answer, on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["bootstrap-server"])?;
    let mut wire = connecting::wire(
        &parsed,
        |ending| ending,
        "METADATA",
        |told| match told.hint() {
            _ if told.timed_out => no_answer(&parsed),
            Some(why) if why.starts_with("Invalid url") => Ending::failure(why),
            _ => Ending::failure(&told.message),
        },
    )?;
    let mut nodes = wire
        .nodes()
        .map_err(|error| Unanswered::of_error(&error, "METADATA").ending(|_| no_answer(&parsed)))?;
    hash_map_order(&mut nodes, |node| node);
    print(&mut wire, nodes);
    Ok(0)
}

/// Prints what each node knows, or why it does not say so.
pub(super) fn print(wire: &mut Wire, nodes: Vec<Broker>) {
    for node in nodes {
        match wire.api_versions(node.id) {
            Ok(apis) => out(&format!("{} -> {}", shown(&node), listed(&apis))),
            Err(error) => {
                let why = Unanswered::of_error(&error, "API_VERSIONS").exception;
                out(&format!("{} -> ERROR: {why}", shown(&node)));
            }
        }
    }
}

/// None of the servers named answers; Java knows no ids of them.
fn no_answer(parsed: &Parsed) -> Ending {
    let servers = parsed
        .values("bootstrap-server")
        .iter()
        .flat_map(|list| list.split(','));
    let nodes: Vec<String> = servers
        .map(|server| format!("{server} (id: -1 rack: null isFenced: false)"))
        .collect();
    Ending::failure(format!(
        "Request METADATA failed on brokers [{}]",
        nodes.join(", ")
    ))
}

/// As Java prints a node. A broker that is fenced is in no list of brokers.
fn shown(node: &Broker) -> String {
    format!(
        "{} (id: {} rack: {} isFenced: false)",
        node.address(),
        node.id,
        node.rack.as_deref().unwrap_or("null")
    )
}

/// All that the node knows, and what it lacks of what clients ask.
fn listed(apis: &[ApiRange]) -> String {
    let mut lines: BTreeMap<i16, String> = KNOWN
        .iter()
        .filter(|known| known.of_clients)
        .map(|known| (known.key, format!("{}({}): UNSUPPORTED", known.name, known.key)))
        .collect();
    lines.extend(apis.iter().map(|api| (api.key, line(*api))));
    let lines: Vec<String> = lines.into_values().collect();
    format!("(\n\t{}\n)", lines.join(",\n\t"))
}

fn line(api: ApiRange) -> String {
    let range = if api.min == api.max {
        api.min.to_string()
    } else {
        format!("{} to {}", api.min, api.max)
    };
    match KNOWN.iter().find(|known| known.key == api.key) {
        Some(known) => format!("{}({}): {range} {}", known.name, known.key, usable(known, api)),
        None => format!("UNKNOWN({}): {range}", api.key),
    }
}

fn usable(known: &KnownApi, api: ApiRange) -> String {
    if known.max < api.min {
        "[unusable: node too new]".to_owned()
    } else if api.max < known.min {
        "[unusable: node too old]".to_owned()
    } else {
        format!("[usable: {}]", known.max.min(api.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_here_knows_is_listed_too_and_what_is_missing_is_named() {
        let text = listed(&[
            ApiRange {
                key: 0,
                min: 0,
                max: 12,
            },
            ApiRange {
                key: 3,
                min: 14,
                max: 15,
            },
            ApiRange {
                key: 999,
                min: 2,
                max: 2,
            },
        ]);
        let expected = "(\n\tProduce(0): 0 to 12 [usable: 12],\n\tFetch(1): UNSUPPORTED,\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains("\tMetadata(3): 14 to 15 [unusable: node too new],\n"),
            "{text}"
        );
        assert!(text.ends_with("\tUNKNOWN(999): 2\n)"), "{text}");
    }
}
