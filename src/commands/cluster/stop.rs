//! `velo cluster stop` and `restart`.

use super::folder::ClusterFolder;
use super::node::Condition;
use super::shape::Shape;
use super::{BrokersArgs, DataArgs, start};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::process::Process;
use clap::Args;
use std::time::{Duration, Instant};

/// How long a clean stop may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `velo cluster stop` and `restart`.
#[derive(Debug, Clone, Args)]
pub struct StopArgs {
    #[command(flatten)]
    pub brokers: BrokersArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// End the process at once, as a power cut would: what was acknowledged must still be there afterwards
    #[arg(long)]
    pub kill: bool,
}

/// Stops the cluster, or some of its brokers, and waits for their end.
///
/// # Errors
/// When one does not end in time, or is none of the cluster's.
pub fn run(args: &StopArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    let Some(shape) = folder.shape()? else {
        context.ui.say("No cluster runs.");
        return Ok(());
    };
    let ids = args.brokers.of(&shape, &folder)?;
    let whole = args.brokers.are_all();
    if running(&folder, &ids)?.is_empty() {
        context.ui.say(match whole {
            true => "No cluster runs.".to_owned(),
            false => format!("{} does not run.", names(&shape, &ids)),
        });
        return Ok(());
    }
    nodes(&folder, &shape, &ids, args.kill, context)?;
    context.ui.say(match (whole, args.kill) {
        (true, true) => "The cluster was killed.".to_owned(),
        (true, false) => "The cluster has stopped.".to_owned(),
        (false, true) => format!("Killed: {}.", names(&shape, &ids)),
        (false, false) => format!("Stopped: {}.", names(&shape, &ids)),
    });
    tell_without_controller(&folder, &shape, context)
}

/// The names of nodes, one after the other.
pub(super) fn names(shape: &Shape, ids: &[i32]) -> String {
    let names: Vec<String> = ids.iter().map(|id| shape.name(*id)).collect();
    names.join(", ")
}

/// Brokers serve without their controller, but nothing of the cluster changes: that is told, since it does not show at once.
fn tell_without_controller(folder: &ClusterFolder, shape: &Shape, context: &Context) -> Outcome {
    let controller = shape.controller().id;
    if folder.is_running()? && !folder.node(controller).is_running()? {
        let (broker, data) = (shape.broker_option(controller), folder.data_option());
        context.ui.say(format!(
            "{} does not run: until it does, no leader is elected and no topic made.\nhint: velo cluster start{broker}{data}",
            shape.controller_name()
        ));
    }
    Ok(())
}

/// Stops the cluster, or some of its brokers, and starts them with the settings they had.
///
/// # Errors
/// When there was none, or it cannot stop or start.
pub fn restart(args: &StopArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    let data = folder.data_option();
    let none = || {
        Failure::request("no cluster runs that could be restarted").hint(format!("velo cluster start{data}"))
    };
    let shape = folder.shape()?.ok_or_else(none)?;
    let ids = args.brokers.of(&shape, &folder)?;
    let conditions = folder.conditions(&shape)?;
    if args.brokers.are_all() && conditions.iter().all(|(_, is)| *is == Condition::Stopped) {
        return Err(none());
    }
    let changing = folder.changing()?;
    if !running(&folder, &ids)?.is_empty() {
        nodes(&folder, &shape, &ids, args.kill, context)?;
    }
    match args.brokers.are_all() {
        true => start::detached(&folder, shape, context, changing),
        false => start::nodes(&folder, shape, &ids, context, changing),
    }
}

/// Those of the nodes that run, with their processes.
fn running(folder: &ClusterFolder, ids: &[i32]) -> Outcome<Vec<(i32, Process)>> {
    let mut running = Vec::new();
    for id in ids {
        let process = folder.node(*id).condition()?.process();
        running.extend(process.map(|process| (*id, process)));
    }
    Ok(running)
}

/// Ends nodes and waits for their end. The controller goes last: the others hand their leadership over to one another
/// through it.
///
/// # Errors
/// When one does not end in time.
pub(super) fn nodes(
    folder: &ClusterFolder,
    shape: &Shape,
    ids: &[i32],
    kill: bool,
    context: &Context,
) -> Outcome {
    let running = running(folder, ids)?;
    let controller = shape.controller().id;
    let (last, first): (Vec<_>, Vec<_>) = running.into_iter().partition(|(id, _)| *id == controller);
    if !kill {
        // Who stands still hears nothing, and lets the others wait.
        for (_, process) in first.iter().chain(&last) {
            if process.is_paused()? {
                process.pause(false)?;
            }
        }
    }
    for group in [first, last] {
        for (_, process) in &group {
            process
                .terminate(kill)
                .map_err(|failure| failure.hint(format!("velo cluster status{}", folder.data_option())))?;
        }
        for (id, process) in group {
            until_ended(folder, shape, (id, process), context)?;
        }
    }
    Ok(())
}

fn until_ended(
    folder: &ClusterFolder,
    shape: &Shape,
    (id, process): (i32, Process),
    context: &Context,
) -> Outcome {
    let what = match shape.is_lone() {
        true => format!("the cluster (process {})", process.id()),
        false => format!("{} (process {})", shape.name(id), process.id()),
    };
    let _waiting = context.ui.waiting_for(format!("{what} to end"));
    let deadline = Instant::now() + PATIENCE;
    while folder.node(id).is_running()? {
        if Instant::now() > deadline {
            let (broker, data) = (shape.broker_option(id), folder.data_option());
            return Err(
                Failure::request(format!("{what} did not stop within {} s", PATIENCE.as_secs()))
                    .hint(format!("velo cluster stop --kill{broker}{data}")),
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
