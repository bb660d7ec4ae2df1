//! `kafka-metadata-quorum`: the controllers' quorum, and who votes in it.

use super::argparse::{Arg, Command, Group, Manners, Parsed, Parser, Takes, Type};
use super::java_words::java_message;
use super::wire_tool::{self, bootstrap_controller, bootstrap_group, bootstrap_server, print_table, refused};
use super::{Ending, out};
use crate::kafka::{Connection, KafkaError, Quorum, QuorumEndpoint, QuorumReplica, Wire, properties};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Of a cluster whose quorum cannot change.
const UNSUPPORTED_VERSION: i16 = 35;
/// Of a controller that is no voter.
const VOTER_NOT_FOUND: i16 = 127;

const DESCRIBE: &str = "describeMetadataQuorum";
const DRY_RUN: &str = "Only say what would be done.";
const GROUPS: &[Group] = &[bootstrap_group(true)];

const PARSER: Parser = Parser {
    prog: "kafka-metadata-quorum",
    about: "This tool describes the quorum of controllers, and changes who belongs to it.",
    args: &[
        bootstrap_server(&["--bootstrap-server"]),
        bootstrap_controller(&["--bootstrap-controller"]),
        Arg::new(
            &["--command-config"],
            Takes::One(Type::Text),
            "COMMAND_CONFIG",
            "File of connection properties; for add-controller, the properties of the controller too.",
        ),
    ],
    groups: GROUPS,
    command_metavar: "",
    manners: Manners::HelpSucceeds,
    commands: &[
        Command {
            name: "describe",
            help: "Describe the quorum.",
            args: &[
                Arg::flag(&["--status"], "A summary of the quorum."),
                Arg::flag(
                    &["--replication"],
                    "Each replica of the metadata log, and how far it is.",
                ),
                Arg::flag(
                    &["--human-readable"],
                    "With --replication: how long ago, in place of moments.",
                ),
            ],
            groups: &[],
        },
        Command {
            name: "add-controller",
            help: "Make a controller a voter of the quorum.",
            args: &[Arg::flag(&["--dry-run"], DRY_RUN)],
            groups: &[],
        },
        Command {
            name: "remove-controller",
            help: "Make a controller no voter of the quorum.",
            args: &[
                Arg::new(
                    &["--controller-id", "-i"],
                    Takes::One(Type::Int),
                    "CONTROLLER_ID",
                    "The id of the controller.",
                )
                .required(),
                Arg::new(
                    &["--controller-directory-id", "-d"],
                    Takes::One(Type::Text),
                    "CONTROLLER_DIRECTORY_ID",
                    "The id of its log directory.",
                )
                .required(),
                Arg::flag(&["--dry-run"], DRY_RUN),
                Arg::flag(
                    &["--unregister"],
                    "Have the cluster forget the controller, too, once it is no voter any more.",
                ),
            ],
            groups: &[],
        },
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage, the tool's message or Java's exception on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let given = PARSER.parse(arguments)?;
    match given.command.unwrap_or_default() {
        "describe" => describe(&given),
        "add-controller" => add_controller(&given),
        _ => remove_controller(&given),
    }
}

fn connect(given: &Parsed, call: &str) -> Result<Wire, Ending> {
    let config = given.value("command-config");
    if let Some(path) = config.filter(|path| !Path::new(path).exists()) {
        return Err(Ending::failure(format!("Properties file {path} does not exist.")));
    }
    wire_tool::connect(given, config, call)
}

fn describe(given: &Parsed) -> Result<u8, Ending> {
    let (status, replication) = (given.has("status"), given.has("replication"));
    let human = given.has("human-readable");
    let wrong = match (status, replication) {
        (true, true) => "Only one of --status or --replication should be specified with describe sub-command",
        (false, false) => "One of --status or --replication must be specified with describe sub-command",
        (true, false) if human => "The option --human-readable is only supported along with --replication",
        _ => "",
    };
    if !wrong.is_empty() {
        return Err(Ending::failure(wrong));
    }
    if status {
        let mut wire = connect(given, "listNodes")?;
        let cluster = wire.describe_cluster(false).map_err(refused("listNodes"))?;
        let quorum = wire.describe_quorum().map_err(refused(DESCRIBE))?;
        print_status(&cluster.cluster_id, &quorum)?;
    } else {
        let quorum = connect(given, DESCRIBE)?
            .describe_quorum()
            .map_err(refused(DESCRIBE))?;
        print_replication(&quorum, human)?;
    }
    Ok(0)
}

fn leader(quorum: &Quorum) -> Result<&QuorumReplica, Ending> {
    let mut voters = quorum.voters.iter();
    let leader = voters.find(|voter| voter.id == quorum.leader_id);
    leader.ok_or_else(|| Ending::failure("No value present"))
}

fn print_status(cluster_id: &str, quorum: &Quorum) -> Result<(), Ending> {
    let leader = leader(quorum)?;
    let slowest = quorum
        .voters
        .iter()
        .min_by_key(|voter| voter.log_end_offset)
        .unwrap_or(leader);
    let behind_ms = if slowest.id == leader.id {
        0
    } else {
        let moments = leader.last_caught_up.zip(slowest.last_caught_up);
        moments.map_or(-1, |(leader, slowest)| leader - slowest)
    };
    out(&format!(
        "ClusterId:              {cluster_id}\n\
         LeaderId:               {}\n\
         LeaderEpoch:            {}\n\
         HighWatermark:          {}\n\
         MaxFollowerLag:         {}\n\
         MaxFollowerLagTimeMs:   {behind_ms}\n\
         CurrentVoters:          {}\n\
         CurrentObservers:       {}",
        quorum.leader_id,
        quorum.leader_epoch,
        quorum.high_watermark,
        leader.log_end_offset - slowest.log_end_offset,
        replicas(quorum, &quorum.voters),
        replicas(quorum, &quorum.observers),
    ));
    Ok(())
}

fn replicas(quorum: &Quorum, replicas: &[QuorumReplica]) -> String {
    let nodes: Vec<String> = replicas
        .iter()
        .map(|replica| {
            let directory = match replica.directory.is_nil() {
                true => String::new(),
                false => format!(", \"directoryId\": \"{}\"", directory_id(replica.directory)),
            };
            let endpoints: Vec<String> = quorum
                .endpoints
                .get(&replica.id)
                .into_iter()
                .flatten()
                .map(|endpoint| format!("\"{endpoint}\""))
                .collect();
            let endpoints = match endpoints.is_empty() {
                true => String::new(),
                false => format!(", \"endpoints\": [{}]", endpoints.join(", ")),
            };
            format!("{{\"id\": {}{directory}{endpoints}}}", replica.id)
        })
        .collect();
    format!("[{}]", nodes.join(", "))
}

fn print_replication(quorum: &Quorum, human: bool) -> Result<(), Ending> {
    let leader = leader(quorum)?;
    let followers = quorum.voters.iter().filter(|voter| voter.id != leader.id);
    let all = std::iter::once((leader, "Leader"))
        .chain(followers.map(|replica| (replica, "Follower")))
        .chain(quorum.observers.iter().map(|replica| (replica, "Observer")));
    let rows = all
        .map(|(replica, status)| {
            Ok([
                replica.id.to_string(),
                directory_id(replica.directory),
                replica.log_end_offset.to_string(),
                (leader.log_end_offset - replica.log_end_offset).to_string(),
                moment(replica.last_fetch, human, "last fetch")?,
                moment(replica.last_caught_up, human, "last caught up")?,
                status.to_owned(),
            ])
        })
        .collect::<Result<Vec<_>, Ending>>()?;
    let headers = [
        "NodeId",
        "DirectoryId",
        "LogEndOffset",
        "Lag",
        "LastFetchTimestamp",
        "LastCaughtUpTimestamp",
        "Status",
    ];
    print_table(headers, &rows);
    Ok(())
}

fn moment(moment: Option<i64>, human: bool, what: &str) -> Result<String, Ending> {
    let Some(moment) = moment.filter(|_| human) else {
        return Ok(moment.unwrap_or(-1).to_string());
    };
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    if moment <= 0 || moment > now {
        return Err(Ending::failure(format!(
            "Error while computing relative time, possible drift in system clock.\n\
             Current timestamp is {now}, {what} timestamp is {moment}"
        )));
    }
    Ok(format!("{} ms ago", now - moment))
}

/// An id as Kafka writes it: base64 without padding.
fn directory_id(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

fn add_controller(given: &Parsed) -> Result<u8, Ending> {
    const CALL: &str = "addRaftVoter";
    let Some(path) = given.value("command-config") else {
        return Err(Ending::failure(
            "You must supply the configuration file of the controller you are adding when using add-controller.",
        ));
    };
    let text = std::fs::read_to_string(path).map_err(|error| Ending::failure(format!("{path}: {error}")))?;
    let settings = properties::parse(&text);
    let id = controller_id(&settings)?;
    let directory = metadata_directory_id(&metadata_directory(&settings)?)?;
    let endpoints = controller_endpoints(&settings)?;
    let dry = given.has("dry-run");
    if !dry {
        let controllers = given.value("bootstrap-controller");
        let bootstrap = controllers
            .or(given.value("bootstrap-server"))
            .unwrap_or_default();
        // The file is the controller's own: most of it is nothing to a client.
        let (connection, _) = Connection::of_java_client(bootstrap, settings)?;
        wire_tool::open(&connection, controllers.is_some(), CALL)?
            .add_raft_voter(id, directory, &endpoints)
            .map_err(refused(CALL))?;
    }
    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    out(&format!(
        "{} controller {id} with directory id {} and endpoints: {}",
        if dry { "DRY RUN of adding" } else { "Added" },
        directory_id(directory),
        endpoints.join(", ")
    ));
    Ok(0)
}

const IS_IT_ONE: &str = "Is this a valid controller configuration file?";

fn controller_id(settings: &BTreeMap<String, String>) -> Result<i32, Ending> {
    let not_found = || Ending::failure(format!("node.id not found in configuration file. {IS_IT_ONE}"));
    let text = settings.get("node.id").ok_or_else(not_found)?;
    let id: i32 = text
        .parse()
        .map_err(|_| Ending::failure(format!("For input string: \"{text}\"")))?;
    if id < 0 {
        return Err(Ending::failure(format!(
            "node.id was negative in configuration file. {IS_IT_ONE}"
        )));
    }
    let roles = settings.get("process.roles").map_or("", String::as_str);
    if !roles.contains("controller") {
        return Err(Ending::failure(format!(
            "process.roles did not contain 'controller' in configuration file. {IS_IT_ONE}"
        )));
    }
    Ok(id)
}

fn metadata_directory(settings: &BTreeMap<String, String>) -> Result<String, Ending> {
    let directory = settings.get("metadata.log.dir").cloned().or_else(|| {
        let directories = settings.get("log.dirs")?;
        directories.split(',').next().map(str::to_owned)
    });
    directory.ok_or_else(|| {
        Ending::failure(format!(
            "Neither metadata.log.dir nor log.dirs were found. {IS_IT_ONE}"
        ))
    })
}

fn metadata_directory_id(directory: &str) -> Result<Uuid, Ending> {
    let meta = std::fs::read_to_string(Path::new(directory).join("meta.properties"))
        .map_err(|_| Ending::failure(format!("Unable to read meta.properties from {directory}")))?;
    let id = properties::parse(&meta).remove("directory.id");
    let id = id.ok_or_else(|| Ending::failure(format!("No directory id found in {directory}")))?;
    uuid_of(&id).map_err(Ending::failure)
}

/// Reads an id as Java does; its words when it is none.
fn uuid_of(text: &str) -> Result<Uuid, String> {
    if text.len() > 24 {
        return Err(format!(
            "Input string with prefix `{}` is too long to be decoded as a base64 UUID",
            text.chars().take(24).collect::<String>()
        ));
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| format!("Input string `{text}` is not a base64-encoded UUID"))?;
    <[u8; 16]>::try_from(bytes.as_slice())
        .map(Uuid::from_bytes)
        .map_err(|_| {
            format!(
                "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 bytes of a \
                 base64-encoded UUID",
                bytes.len()
            )
        })
}

fn controller_endpoints(settings: &BTreeMap<String, String>) -> Result<Vec<QuorumEndpoint>, Ending> {
    let names = settings
        .get("controller.listener.names")
        .ok_or_else(|| Ending::failure(format!("controller.listener.names was not found. {IS_IT_ONE}")))?;
    // What is advertised stands for what is listened on.
    let listeners: Vec<QuorumEndpoint> = ["advertised.listeners", "listeners"]
        .iter()
        .filter_map(|name| settings.get(*name))
        .flat_map(|list| list.split(','))
        .filter_map(endpoint)
        .collect();
    let named = |name: &str| {
        let name = name.trim().to_uppercase();
        let found = listeners.iter().find(|listener| listener.name == name);
        found.cloned().ok_or_else(|| {
            Ending::failure(format!(
                "Cannot find information about controller listener name: {name}"
            ))
        })
    };
    names.split(',').map(named).collect()
}

fn endpoint(listener: &str) -> Option<QuorumEndpoint> {
    let (name, address) = listener.trim().split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some(QuorumEndpoint {
        name: name.to_uppercase(),
        host: if host.is_empty() { "localhost" } else { host }.to_owned(),
        port: port.parse().ok()?,
    })
}

fn remove_controller(given: &Parsed) -> Result<u8, Ending> {
    const CALL: &str = "removeRaftVoter";
    let id: i32 = given.number("controller-id").unwrap_or_default();
    if id < 0 {
        return Err(Ending::failure(format!("Invalid negative --controller-id: {id}")));
    }
    let text = given.value("controller-directory-id").unwrap_or_default();
    let directory = uuid_of(text)
        .map_err(|why| Ending::failure(format!("Failed to parse --controller-directory-id: {why}")))?;
    let (dry, unregister) = (given.has("dry-run"), given.has("unregister"));
    if !dry {
        let removed = connect(given, CALL)?.remove_raft_voter(id, directory);
        removed.map_err(|error| {
            if unregister && [UNSUPPORTED_VERSION, VOTER_NOT_FOUND].contains(&error.protocol_code()) {
                not_done("remove KRaft voter", id, &error)
            } else {
                refused(CALL)(error)
            }
        })?;
    }
    out(&format!(
        "{} KRaft controller {id} with directory id {}",
        if dry { "DRY RUN of removing" } else { "Removed" },
        directory_id(directory)
    ));
    if unregister {
        unregister_controller(given, id, dry)?;
    }
    Ok(0)
}

/// What `--unregister` does once the controller is no voter any more.
fn unregister_controller(given: &Parsed, id: i32, dry: bool) -> Result<(), Ending> {
    if !dry {
        connect(given, "unregisterController")?
            .unregister_controller(id)
            .map_err(|error| not_done("unregister controller", id, &error))?;
    }
    let done = if dry {
        "DRY RUN of unregistering"
    } else {
        "Unregistered"
    };
    out(&format!("{done} KRaft controller {id}"));
    Ok(())
}

/// Java's words for a controller that is still registered.
fn not_done(what: &str, id: i32, error: &KafkaError) -> Ending {
    Ending::failure(format!(
        "Failed to {what} {id}: {}. To unregister the controller from the cluster, run `kafka-cluster.sh \
         unregister-controller --id {id}`.",
        java_message(error)
    ))
}
