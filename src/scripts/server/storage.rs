//! `kafka-storage`: ids, and the log directory of a node of ours.

use super::settings;
use crate::broker::NodeConfig;
use crate::broker::storage::{LogDir, random_id, uuid_text};
use crate::kafka::properties;
use crate::scripts::argparse::{Arg, Command, Group, Manners, Parsed, Parser, Takes, Type};
use crate::scripts::{Ending, features, out};
use std::collections::BTreeMap;
use std::path::Path;

/// What a node of ours agrees to when it is formatted; it knows no other level.
const RELEASE: &str = "4.4-IV2";
const CONFIG: Arg = Arg::new(
    &["--config", "-c"],
    Takes::One(Type::Text),
    "CONFIG",
    "The settings file of the node.",
)
.required();
/// Which controllers there are at first; said at most once.
const QUORUM: &[Group] = &[Group {
    name: "quorum",
    title: "",
    about: "",
    required: false,
}];

const PARSER: Parser = Parser {
    prog: "kafka-storage",
    about: "The Kafka storage tool.",
    args: &[],
    groups: &[],
    command_metavar: "",
    manners: Manners::HelpSucceeds,
    commands: &[
        Command {
            name: "info",
            help: "Say whose this node's log directory is.",
            args: &[CONFIG],
            groups: &[],
        },
        Command {
            name: "format",
            help: "Prepare this node's log directory.",
            args: &[
                CONFIG,
                Arg::new(
                    &["--cluster-id", "-t"],
                    Takes::One(Type::Text),
                    "CLUSTER_ID",
                    "The id of the cluster; random-uuid makes one.",
                )
                .required(),
                Arg::new(
                    &["--add-scram", "-S"],
                    Takes::One(Type::Text),
                    "ADD_SCRAM",
                    "A user; refused, for nodes of ours ask for no passwords.",
                ),
                Arg::flag(
                    &["--ignore-formatted", "-g"],
                    "Leave a directory that is formatted already as it is.",
                ),
                Arg::new(
                    &["--release-version", "-r"],
                    Takes::One(Type::Text),
                    "RELEASE_VERSION",
                    "The release whose features to begin with; a node of ours knows 4.4-IV2, which is the default.",
                ),
                Arg::new(
                    &["--feature", "-f"],
                    Takes::Each(Type::Text),
                    "FEATURE",
                    "One feature, as NAME=LEVEL; a node of ours knows metadata.version=33.",
                ),
                Arg::flag(
                    &["--standalone", "-s"],
                    "The controller is its own quorum, as controllers of ours always are.",
                )
                .of("quorum"),
                Arg::flag(&["--no-initial-controllers", "-N"], "The quorum is elsewhere.").of("quorum"),
                Arg::new(
                    &["--initial-controllers", "-I"],
                    Takes::One(Type::Text),
                    "INITIAL_CONTROLLERS",
                    "The quorum's controllers; refused, for a controller of ours is its own quorum.",
                )
                .of("quorum"),
            ],
            groups: QUORUM,
        },
        Command {
            name: "version-mapping",
            help: "Print which level of each feature a release has; without --release-version, the latest stable one.",
            args: &[Arg::new(
                &["--release-version", "-r"],
                Takes::One(Type::Text),
                "RELEASE_VERSION",
                "The release, from 3.3-IV3 to 4.4-IV2, which is the default.",
            )],
            groups: &[],
        },
        Command {
            name: "feature-dependencies",
            help: "Print what a feature's level needs.",
            args: &[Arg::new(
                &["--feature", "-f"],
                Takes::Each(Type::Text),
                "FEATURE",
                "One feature, as NAME=LEVEL. May be repeated.",
            )
            .required()],
            groups: &[],
        },
        Command {
            name: "random-uuid",
            help: "Print a random id.",
            args: &[],
            groups: &[],
        },
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage or the tool's message on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let given = PARSER.parse(arguments)?;
    match given.command.unwrap_or_default() {
        "info" => return info(&given),
        "format" => format(&given)?,
        "version-mapping" => {
            let release = given.value("release-version").unwrap_or(RELEASE);
            out(&features::mapping(release).map_err(Ending::failure)?);
        }
        "feature-dependencies" => {
            for feature in given.values("feature") {
                out(&features::dependencies_of(feature).map_err(Ending::failure)?);
            }
        }
        _ => out(&uuid_text(random_id())),
    }
    Ok(0)
}

/// The settings in the node's file.
fn settings(given: &Parsed) -> Result<settings::Properties, Ending> {
    let path = given.value("config").unwrap_or_default();
    Ok(settings::read(path, &mut Vec::new())?)
}

/// The node that they make. A file of the ZooKeeper era has no place for a cluster's id.
fn node(given: &Parsed, settings: settings::Properties) -> Result<NodeConfig, Ending> {
    let path = given.value("config").unwrap_or_default();
    if !settings.contains_key("process.roles") {
        return Err(Ending::failure(
            "Missing required configuration \"process.roles\" which has no default value.",
        )
        .hint(format!(
            "kafka-server-start.sh {path}   (it prepares the folder of a ZooKeeper-era file itself)"
        )));
    }
    let quorum = ["controller.quorum.bootstrap.servers", "controller.quorum.voters"];
    if !quorum.iter().any(|name| settings.contains_key(*name)) {
        return Err(Ending::failure(
            "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
             controllers or controller.quorum.voters must contain a parseable set of controllers.",
        ));
    }
    Ok(settings::of_server(settings, Vec::new())?.config)
}

fn meta_properties(folder: &Path) -> Result<Option<BTreeMap<String, String>>, Ending> {
    let path = folder.join("meta.properties");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(properties::parse(&text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Ending::failure(format!("{}: {error}", path.display()))),
    }
}

fn info(given: &Parsed) -> Result<u8, Ending> {
    let config = node(given, settings(given)?)?;
    let folder = &config.log_dir;
    let meta = meta_properties(folder)?;
    let is_there = folder.is_dir();
    if is_there {
        out(&format!("Found log directory:\n  {}\n", folder.display()));
    }
    if let Some(meta) = &meta {
        let pairs: Vec<String> = meta
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        out(&format!("Found metadata: {{{}}}\n", pairs.join(", ")));
    }
    let problem = match (is_there, meta) {
        (true, Some(_)) => return Ok(0),
        (true, None) => "is not formatted.",
        (false, _) => "does not exist",
    };
    out(&format!("Found problem:\n  {} {problem}\n", folder.display()));
    Ok(1)
}

fn format(given: &Parsed) -> Result<(), Ending> {
    let settings = settings(given)?;
    let has_voters = settings.contains_key("controller.quorum.voters");
    let config = node(given, settings)?;
    check_quorum(given, &config, has_voters)?;
    let id = given.value("cluster-id").unwrap_or_default();
    refuse(given, &config)?;
    let folder = config.log_dir.display();
    if let Some(known) = meta_properties(&config.log_dir)?.and_then(|mut meta| meta.remove("cluster.id")) {
        if known != id {
            return Err(Ending::failure(format!(
                "Invalid cluster.id in: {folder}/meta.properties. Expected {id}, but read {known}"
            )));
        }
        if !given.has("ignore-formatted") {
            return Err(Ending::failure(format!(
                "Log directory {folder} is already formatted. Use --ignore-formatted to ignore this directory and \
                 format the others."
            )));
        }
        out("All of the log directories are already formatted.");
        return Ok(());
    }
    let mut log_dir = LogDir::open(&config).map_err(|error| Ending::failure(error.to_string()))?;
    log_dir
        .join(&config, id)
        .map_err(|error| Ending::failure(error.to_string()))?;
    let kind = match given.has("standalone") {
        true => "dynamic metadata voter",
        false => "metadata",
    };
    out(&format!(
        "Formatting {kind} directory {folder} with metadata.version {RELEASE}."
    ));
    Ok(())
}

/// A controller's quorum is named by its settings, or by an option.
fn check_quorum(given: &Parsed, config: &NodeConfig, has_voters: bool) -> Result<(), Ending> {
    let named = given.has("standalone") || given.has("initial-controllers");
    if has_voters && named {
        return Err(Ending::failure(
            "You cannot specify controller.quorum.voters and format the node with --initial-controllers or --standalone. \
             If you want to use dynamic quorum, please remove controller.quorum.voters and specify \
             controller.quorum.bootstrap.servers instead.",
        ));
    }
    if config.roles.controller && !has_voters && !named && !given.has("no-initial-controllers") {
        return Err(Ending::failure(
            "Because controller.quorum.voters is not set on this controller, you must specify one of the following: \
             --standalone, --initial-controllers, or --no-initial-controllers.",
        ));
    }
    Ok(())
}

/// Names what a node of ours has no use for.
fn refuse(given: &Parsed, config: &NodeConfig) -> Result<(), Ending> {
    let refused = |option: &str, why: &str| {
        Err(Ending::failure(format!(
            "--{option} cannot be used for a node of velo: {why}"
        )))
    };
    if given.has("add-scram") {
        return refused(
            "add-scram",
            "its listeners are PLAINTEXT and ask for no password.",
        );
    }
    if given.has("initial-controllers") {
        return refused(
            "initial-controllers",
            "its controller is its own quorum; --standalone says so.",
        );
    }
    if given.has("no-initial-controllers") && config.roles.controller {
        return refused(
            "no-initial-controllers",
            "its controller is its own quorum; --standalone says so.",
        );
    }
    if given.has("standalone") && !config.roles.controller {
        return Err(Ending::failure("You can only use --standalone on a controller."));
    }
    if let Some(release) = given.value("release-version") {
        // Kafka offers none here that is not stable yet.
        let unstable = format!(", {}", features::UNSTABLE);
        let mapped = features::mapping(release)
            .map_err(|why| Ending::failure(why.trim_end_matches(unstable.as_str())))?;
        if !mapped.starts_with("metadata.version=33 ") {
            return refused("release-version", &format!("it knows {RELEASE} alone."));
        }
    }
    for feature in given.values("feature") {
        features::check_supported(feature).map_err(Ending::failure)?;
        features::dependencies_of(feature).map_err(Ending::failure)?;
        if feature.replace(' ', "") != "metadata.version=33" {
            return refused(
                "feature",
                &format!("{feature}; it knows metadata.version=33 alone."),
            );
        }
    }
    Ok(())
}
