//! A node in this process, until it is asked to stop; or in a process of its own.

use super::running::{self, Entry, Kind};
use super::settings::Prepared;
use crate::broker::Node;
use crate::broker::config::Voter;
use crate::broker::error::BrokerError;
use crate::broker::part::Part;
use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use crate::process;
use crate::scripts::{Ending, out};
use crate::ui::log;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How long a node in the background may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a node may take until it is said what it waits for.
const GLANCE: Duration = Duration::from_secs(3);

/// Runs a node; says so on stdout once it serves.
///
/// # Errors
/// When it cannot start.
pub fn serve(kind: Kind, prepared: Prepared) -> Result<u8, Ending> {
    for remark in &prepared.remarks {
        eprintln!("{remark}");
    }
    log::start_service();
    let runtime =
        Runtime::new().map_err(|error| Failure::request("the node could not start").because(error))?;
    Ok(runtime.block_on(run(kind, prepared))?)
}

/// As Java's, it ends with the exit code of what asked it to stop.
async fn run(kind: Kind, prepared: Prepared) -> Outcome<u8> {
    let stopped = process::stop_requested()
        .map_err(|error| Failure::request("cannot listen for signals").because(error))?;
    tokio::pin!(stopped);
    let Prepared { config, part, .. } = prepared;
    let is_broker = config.roles.broker;
    let mut roles = Vec::new();
    for (has, name) in [
        (config.roles.broker, "broker"),
        (config.roles.controller, "controller"),
    ] {
        if has {
            roles.push(name.to_owned());
        }
    }
    let entry = Entry {
        pid: std::process::id(),
        kind,
        node_id: config.node_id,
        roles,
    };
    // A broker waits for its controller; Ctrl-C ends that too.
    let mut node = tokio::select! {
        node = Node::start(config, Clock::system()) => node.map_err(|error| cannot_start(&error))?,
        () = tell_waiting(&part) => return Ok(1),
        code = &mut stopped => return Ok(code),
    };
    let registration = running::register(&entry)?;
    let title = match kind {
        Kind::Kafka => "KafkaServer",
        Kind::Zookeeper => "Controller",
    };
    let address = match node.address().ip().is_loopback() {
        true => format!("localhost:{}", node.address().port()),
        false => node.address().to_string(),
    };
    let id = entry.node_id;
    out(&match part {
        Part::Joins(leaders) if !is_broker => {
            format!("[{title} id={id}] stands by for {}", addresses(&leaders))
        }
        _ => format!("[{title} id={id}] started at {address}"),
    });
    let ending = tokio::select! {
        code = &mut stopped => Ok(code),
        why = node.failed() => Err(cannot_go_on(&why)),
    };
    node.shutdown().await;
    drop(registration);
    ending
}

fn cannot_go_on(why: &str) -> Failure {
    Failure::request("the node had to end")
        .because(why)
        .hint("velo doctor")
        .hint("kafka-server-start.sh FILE, once its disk serves: what was acknowledged is there")
}

/// Says what a node waits for that does not start at once; never ends.
async fn tell_waiting(part: &Part) {
    if let Part::Joins(leaders) = part {
        tokio::time::sleep(GLANCE).await;
        eprintln!("Waiting for the controller at {}.", addresses(leaders));
    }
    std::future::pending().await
}

fn addresses(of: &[Voter]) -> String {
    let addresses: Vec<String> = of.iter().map(Voter::address).collect();
    addresses.join(", ")
}

fn cannot_start(error: &BrokerError) -> Failure {
    let failure = Failure::request("the node could not start").because(error);
    match error {
        BrokerError::Io { source, .. } if source.kind() == io::ErrorKind::AddrInUse => failure
            .hint("velo cluster stop, or kafka-server-stop.sh, if that is what runs there")
            .hint(
                "kafka-server-start.sh FILE --override listeners=PLAINTEXT://:9094,CONTROLLER://:9095 --override \
                 controller.quorum.bootstrap.servers=localhost:9095",
            ),
        BrokerError::Unsupported(_) => failure
            .hint("bin/kafka-server-start.sh FILE, of the Apache Kafka that wrote the folder")
            .hint("kafka-server-start.sh FILE --override log.dirs=OTHER_FOLDER"),
        _ => failure.hint("velo doctor"),
    }
}

/// Starts `script` again in the background, and waits until it serves.
///
/// # Errors
/// When it ends before; what it said is in its log.
pub fn in_background(script: &str, kind: Kind, log_name: &str, arguments: &[String]) -> Result<u8, Ending> {
    let log = log_file(log_name)?;
    let failed = |error: io::Error| {
        Failure::request(format!("{script} could not start in the background")).because(error)
    };
    let file = File::create(&log).map_err(failed)?;
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command
        .arg(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file.try_clone().map_err(failed)?)
        .stderr(file);
    process::detach(&mut command);
    let mut child = command.spawn().map_err(failed)?;
    let deadline = Instant::now() + PATIENCE;
    while !running::all(kind)?.iter().any(|entry| entry.pid == child.id()) {
        if child.try_wait().map_err(failed)?.is_some() {
            let said = fs::read(&log).map_err(failed)?;
            return Err(Ending::failure(
                String::from_utf8_lossy(&said).trim_end().to_owned(),
            ));
        }
        if Instant::now() > deadline {
            eprintln!("It does not serve yet; its log is {}", log.display());
            return Ok(0);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    eprintln!("It serves; its log is {}", log.display());
    Ok(0)
}

/// `LOG_DIR`, as Kafka's scripts have it, else the user's state folder.
fn log_file(name: &str) -> Outcome<PathBuf> {
    let folder = match std::env::var_os("LOG_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => Places::from_environment()?.state.join("logs"),
    };
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::request(format!("cannot use {}", folder.display())).because(error))?;
    Ok(folder.join(name))
}
