//! What a shell offers behind the scripts of Kafka's names.
//!
//! The help of a script is the one place where each tells its options, whichever way it reads them. So that is asked, in a
//! process of its own, and what it says becomes a command that clap can complete.

use super::candidates;
use crate::scripts::find;
use clap::{Arg, ArgAction, Command};
use clap_complete::engine::ArgValueCandidates;
use std::collections::BTreeMap;
use std::process::Stdio;

/// What `kafka-configs --entity-type` takes.
const ENTITY_TYPES: [&str; 7] = [
    "topics",
    "brokers",
    "groups",
    "users",
    "clients",
    "ips",
    "client-metrics",
];

/// How far options stand from the margin at most.
const INDENT: usize = 4;

/// A script's options as a command of clap's; none when the name is no script's.
pub(super) fn command(name: &str) -> Option<Command> {
    let name = std::path::Path::new(name).file_name()?.to_str()?;
    let script = find(name)?;
    let mut command = Command::new(name.to_owned())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(Arg::new("words").num_args(0..));
    for (option, takes) in options(&help_of(script.name)) {
        let argument = Arg::new(option.clone()).long(option.clone());
        command = command.arg(if takes {
            let argument = argument.num_args(1).action(ArgAction::Append);
            match values(&option) {
                Some(candidates) => argument.add(candidates),
                None => argument,
            }
        } else {
            argument.action(ArgAction::Count)
        });
    }
    Some(command)
}

/// What the script says of itself; nothing where it cannot be asked.
fn help_of(script: &str) -> String {
    let asked = std::env::current_exe().and_then(|velo| {
        std::process::Command::new(velo)
            .args([script, "--help"])
            .env_remove("VELO_COMPLETE")
            .stdin(Stdio::null())
            .output()
    });
    asked.map_or_else(
        |_| String::new(),
        |said| {
            let said = [said.stdout, said.stderr].concat();
            String::from_utf8_lossy(&said).into_owned()
        },
    )
}

/// The options in a help, without their dashes, and whether each takes a value: `--topic <String: topic>` of one of
/// Kafka's parsers, `--topic TOPIC` of the other.
fn options(help: &str) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    for line in help.lines() {
        // Options begin their line, perhaps behind their short form. What stands further to the right is prose.
        let text = line.trim_start();
        if !text.starts_with('-') || line.len() - text.len() > INDENT {
            continue;
        }
        let first = text.split("  ").next().unwrap_or_default();
        for (at, _) in first.match_indices("--") {
            let (name, behind) = name_and_rest(first.get(at + 2..).unwrap_or_default());
            if !name.is_empty() && !first.get(..at).is_some_and(|before| before.ends_with('-')) {
                *found.entry(name.to_owned()).or_insert(false) |= takes_a_value(behind);
            }
        }
    }
    found
}

/// The name that a text begins with, and what stands behind it.
fn name_and_rest(text: &str) -> (&str, &str) {
    let belongs = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    let length = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    if text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        text.split_at(length)
    } else {
        ("", text)
    }
}

/// `<String: topic>`, `[TOPIC ...]` or `TOPIC` behind an option.
fn takes_a_value(behind: &str) -> bool {
    let value = behind.strip_prefix([' ', '=']).unwrap_or_default();
    let word = value.split([' ', ',']).next().unwrap_or_default();
    let in_capitals = |letter: char| letter.is_ascii_uppercase() || "-_.".contains(letter);
    value.starts_with(['<', '[', '{'])
        || word.starts_with(|letter: char| letter.is_ascii_uppercase()) && word.chars().all(in_capitals)
}

/// What the value of an option may be, as far as the cluster or Kafka itself knows.
fn values(option: &str) -> Option<ArgValueCandidates> {
    match option {
        "topic" => Some(candidates::topics()),
        "group" => Some(candidates::groups()),
        "broker" | "broker-list" | "brokers" => Some(candidates::brokers()),
        "config" | "add-config" => Some(candidates::assignments()),
        "delete-config" => Some(candidates::setting_names()),
        "entity-type" => Some(ArgValueCandidates::new(|| {
            ENTITY_TYPES
                .iter()
                .map(clap_complete::CompletionCandidate::new)
                .collect()
        })),
        "entity-name" => Some(candidates::topics()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_from_the_help_of_either_parser() {
        let joptsimple = "Option                                   Description\n\
                          ------                                   -----------\n\
                          --alter                                  Alter the number of partitions and\n\
                          \x20                                          --topic is required\n\
                          --bootstrap-server <String: server to    REQUIRED: The Kafka server to connect\n\
                          \x20 connect to>                              to.\n";
        let read = options(joptsimple);
        assert_eq!(read.get("alter"), Some(&false));
        assert_eq!(read.get("bootstrap-server"), Some(&true));
        assert_eq!(read.get("topic"), None);
        let argparse = "named arguments:\n  -h, --help             show this help message and exit\n  \
                        --topic TOPIC          produce messages to this topic\n";
        let read = options(argparse);
        assert_eq!(read.get("help"), Some(&false));
        assert_eq!(read.get("topic"), Some(&true));
    }
}
