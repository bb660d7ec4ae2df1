//! `velo cluster start`: in the foreground, or detached and awaited until it serves.

use super::folder::{ClusterFolder, Settings};
use super::{DataArgs, foreground, launch, port};
use crate::commands::Context;
use crate::failure::Outcome;
use clap::Args;

/// Options of `velo cluster start`.
#[derive(Debug, Clone, Args)]
pub struct StartArgs {
    /// Port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 9092)]
    pub port: u16,
    #[command(flatten)]
    pub data: DataArgs,
    /// Broker setting, by its name in Kafka's server.properties; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Stay in this terminal; `ready` and the addresses are printed once it serves
    #[arg(long)]
    pub foreground: bool,
    /// Let other machines connect: whoever reaches the port can read, write and delete everything
    #[arg(long)]
    pub listen_anyone: bool,
}

impl StartArgs {
    fn settings(&self) -> Settings {
        Settings {
            port: self.port,
            listen_anyone: self.listen_anyone,
            set: self.set.clone(),
        }
    }
}

/// Starts the cluster.
///
/// # Errors
/// When the port or the folder is taken, a setting is refused, or the node cannot start.
pub fn run(args: &StartArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::of(&args.data, context);
    if args.listen_anyone {
        context.ui.say(
            "warning: --listen-anyone: every machine that reaches this port can read, write and delete everything",
        );
    }
    if args.foreground {
        return foreground::run(&folder, args.settings(), context);
    }
    if let Some(state) = folder.running()? {
        context.ui.say(format!(
            "The cluster already runs at {} (process {}).",
            state.bootstrap, state.pid
        ));
        return Ok(());
    }
    detached(&folder, &args.settings(), context)
}

/// Starts the cluster detached, and says where it serves.
pub(super) fn detached(folder: &ClusterFolder, settings: &Settings, context: &Context) -> Outcome {
    foreground::node_config(folder, settings)?;
    port::ensure_free(settings.port)?;
    if folder.last_state()?.is_some() {
        context
            .ui
            .say("The last cluster did not stop cleanly; its logs are being checked.");
    }
    let launched = launch::detached(folder, settings)?;
    context
        .ui
        .say(format!("The cluster serves at {}.", launched.bootstrap()));
    if !launched.bootstrap().ends_with(":9092") {
        context.ui.say(format!(
            "For the next commands: export VELO_BOOTSTRAP_SERVER={}",
            launched.bootstrap()
        ));
    }
    Ok(())
}
