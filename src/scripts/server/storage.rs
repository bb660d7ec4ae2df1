//! `kafka-storage`: ids, and the log directory of a node of ours.

use super::settings;
use crate::broker::error::BrokerError;
use crate::broker::part;
use crate::broker::storage::{JOINED, LogDir, uuid_from_text, uuid_text};
use crate::broker::world::World;
use crate::broker::{METADATA_TOPIC, NodeConfig};
use crate::kafka::properties;
use crate::scripts::argparse::{Arg, Command, Group, Manners, Parsed, Parser, Takes, Type};
use crate::scripts::{Ending, features, out};
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

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
                    "The controller is its own quorum.",
                )
                .of("quorum"),
                Arg::flag(&["--no-initial-controllers", "-N"], "The quorum is elsewhere.").of("quorum"),
                Arg::new(
                    &["--initial-controllers", "-I"],
                    Takes::One(Type::Text),
                    "INITIAL_CONTROLLERS",
                    "The quorum's controllers, as ID@HOST:PORT:DIRECTORY,…; of nodes of ours the first leads.",
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
        _ => out(&uuid_text(World::default().dice().id())),
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
    NodeConfig::check_file(&settings).map_err(|error| Ending::failure(error.to_string()))?;
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
            .filter(|(name, _)| *name != JOINED)
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
    let voters = initial_controllers(given)?;
    let place = place(given, &config, &voters);
    check_place(place, &config)?;
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
    let broken = |error: BrokerError| Ending::failure(error.to_string());
    let mut log_dir = LogDir::open(&config, &World::default()).map_err(broken)?;
    let own = voters.iter().find(|voter| voter.id == config.node_id);
    if let Some(own) = own {
        log_dir.directory_id = own.directory;
    }
    log_dir
        .join(&config, id, place == Place::Elsewhere)
        .map_err(broken)?;
    if place == Place::Here {
        // The folder that has the metadata is the controller's.
        let metadata = config.log_dir.join(format!("{METADATA_TOPIC}-0"));
        std::fs::create_dir_all(&metadata)
            .map_err(|error| Ending::failure(format!("{}: {error}", metadata.display())))?;
    }
    let kind = match (given.has("standalone") || own.is_some(), voters.is_empty()) {
        (true, _) => "dynamic metadata voter",
        (false, true) => "metadata",
        (false, false) => "dynamic metadata non-voter",
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

/// Where the cluster's controller is, as the options say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The file says.
    AsTheFileSays,
    /// On this node.
    Here,
    /// On another.
    Elsewhere,
}

fn place(given: &Parsed, config: &NodeConfig, voters: &[InitialController]) -> Place {
    if !config.roles.controller {
        return Place::AsTheFileSays;
    }
    match voters.first() {
        // A cluster of ours has one controller: the first.
        Some(first) if first.id == config.node_id => Place::Here,
        Some(_) => Place::Elsewhere,
        None if given.has("standalone") => Place::Here,
        None if given.has("no-initial-controllers") => Place::Elsewhere,
        None => Place::AsTheFileSays,
    }
}

/// A node that leads must be one that its file names, and one that does not needs another to join.
fn check_place(place: Place, config: &NodeConfig) -> Result<(), Ending> {
    let own = config
        .quorum
        .iter()
        .filter(|voter| part::is_own(config, voter))
        .count();
    let (others, setting) = (config.quorum.len() - own, "controller.quorum.bootstrap.servers");
    let refused = |why: &str| Err(Ending::failure(format!("{setting} {why}")));
    match place {
        Place::Here if own == 0 && others > 0 => refused(
            "does not name this node's controller listener, and a node never begins a cluster of its own when \
             its file names another's.",
        ),
        Place::Elsewhere if others == 0 => {
            refused("names this node alone, so there is no controller that it could join.")
        }
        _ => Ok(()),
    }
}

/// One of `--initial-controllers`.
struct InitialController {
    id: i32,
    directory: Uuid,
}

/// Reads `ID@HOST:PORT:DIRECTORY,…`
fn initial_controllers(given: &Parsed) -> Result<Vec<InitialController>, Ending> {
    let text = given.value("initial-controllers").unwrap_or_default();
    let words = text.trim().split(',').filter(|word| !word.is_empty());
    words
        .map(|word| initial_controller(word.trim()).map_err(Ending::failure))
        .collect()
}

fn initial_controller(word: &str) -> Result<InitialController, String> {
    let (id, address) = word
        .split_once('@')
        .ok_or("No @ found in dynamic voter string.")?;
    if id.is_empty() {
        return Err("Invalid @ at beginning of dynamic voter string.".to_owned());
    }
    let id: i32 = id
        .parse()
        .map_err(|_| "Failed to parse node id in dynamic voter string.")?;
    if id < 0 {
        return Err(format!("Invalid negative node id {id} in dynamic voter string."));
    }
    if address.is_empty() {
        return Err("No hostname found after node id.".to_owned());
    }
    let after_host = match address.strip_prefix('[') {
        Some(host) => host
            .split_once(']')
            .map(|(_, rest)| rest)
            .ok_or("Hostname began with left bracket, but no right bracket was found.")?,
        None => address
            .find(':')
            .and_then(|colon| address.get(colon..))
            .ok_or("No colon following hostname could be found.")?,
    };
    let after_host = after_host
        .strip_prefix(':')
        .ok_or("Port section must start with a colon.")?;
    let (port, directory) = after_host
        .split_once(':')
        .ok_or("No colon following port could be found.")?;
    let port: i32 = port
        .parse()
        .map_err(|_| "Failed to parse port in dynamic voter string.")?;
    if u16::try_from(port).is_err() {
        return Err(format!("Invalid port {port} in dynamic voter string."));
    }
    let directory =
        uuid_from_text(directory).ok_or("Failed to parse directory ID in dynamic voter string.")?;
    Ok(InitialController { id, directory })
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
