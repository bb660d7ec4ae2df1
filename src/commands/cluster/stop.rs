//! `velo cluster stop` and `restart`.

use super::folder::{ClusterFolder, State};
use super::{DataArgs, start};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::process::terminate;
use clap::Args;
use std::time::{Duration, Instant};

/// How long a clean stop may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `velo cluster stop` and `restart`.
#[derive(Debug, Clone, Args)]
pub struct StopArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// End the process at once, as a power cut would: what was acknowledged must still be there afterwards
    #[arg(long)]
    pub kill: bool,
}

/// Stops the cluster and waits for its end.
///
/// # Errors
/// When it does not end in time.
pub fn run(args: &StopArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    match folder.running()? {
        None => {
            context.ui.say("No cluster runs.");
            Ok(())
        }
        Some(state) => {
            stop(&folder, &state, args.kill, context)?;
            context.ui.say(if args.kill {
                "The cluster was killed."
            } else {
                "The cluster has stopped."
            });
            Ok(())
        }
    }
}

/// Stops the cluster and starts it with the settings it had.
///
/// # Errors
/// When there was none, or it cannot stop or start.
pub fn restart(args: &StopArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    let Some(state) = folder.last_state()? else {
        return Err(Failure::request("no cluster runs that could be restarted")
            .hint(format!("velo cluster start{}", folder.data_option())));
    };
    if folder.is_running()? {
        stop(&folder, &state, args.kill, context)?;
    }
    // The port that the system chose stays: clients know it.
    let port = state.port();
    let mut settings = state.settings;
    settings.port = port.unwrap_or(settings.port);
    start::detached(&folder, &settings, context)
}

fn stop(folder: &ClusterFolder, state: &State, kill: bool, context: &Context) -> Outcome {
    let _waiting = context
        .ui
        .waiting_for(format!("the cluster (process {}) to end", state.pid));
    terminate(state.pid, kill)?;
    let deadline = Instant::now() + PATIENCE;
    while folder.is_running()? {
        if Instant::now() > deadline {
            return Err(Failure::request(format!(
                "the cluster (process {}) did not stop within {} s",
                state.pid,
                PATIENCE.as_secs()
            ))
            .hint(format!("velo cluster stop --kill{}", folder.data_option())));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
