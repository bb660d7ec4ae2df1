//! `velo cluster pause` and `resume`: a process that stands still, keeps its connections, and thinks it still leads.

use super::folder::ClusterFolder;
use super::shape::Shape;
use super::{BrokersArgs, DataArgs, stop};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;
use std::time::{Duration, Instant};

/// How long a process may take to stand still, or to go on.
const PATIENCE: Duration = Duration::from_secs(5);

/// Options of `velo cluster pause` and `resume`.
#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    pub brokers: BrokersArgs,
    #[command(flatten)]
    pub data: DataArgs,
}

/// Lets nodes stand still, or go on.
///
/// # Errors
/// When one does not run, or this system cannot do that to a process.
pub fn run(args: &PauseArgs, pause: bool, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    let data = folder.data_option();
    let none = || Failure::request("no cluster runs").hint(format!("velo cluster start{data}"));
    let shape = folder.shape()?.ok_or_else(none)?;
    let ids = args.brokers.of(&shape, &folder)?;
    if !folder.is_running()? {
        return Err(none());
    }
    for id in &ids {
        one(&folder, &shape, *id, pause)?;
    }
    let names = stop::names(&shape, &ids);
    context.ui.say(match pause {
        true => format!(
            "Paused: {names}.\nhint: velo cluster resume{}{data}",
            args.brokers.typed()
        ),
        false => format!("Resumed: {names}."),
    });
    Ok(())
}

fn one(folder: &ClusterFolder, shape: &Shape, id: i32, pause: bool) -> Outcome {
    let process = folder.node(id).condition()?.process().ok_or_else(|| {
        let (broker, data) = (shape.broker_option(id), folder.data_option());
        Failure::request(format!("{} does not run", shape.name(id)))
            .hint(format!("velo cluster start{broker}{data}"))
    })?;
    let data = folder.data_option();
    let failed = |failure: Failure| failure.hint(format!("velo cluster status{data}"));
    process.pause(pause).map_err(failed)?;
    // A signal has been sent when this comes back, not taken.
    let deadline = Instant::now() + PATIENCE;
    while process.is_paused()? != pause && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
