//! `velo cluster start`: in the foreground, or detached and awaited until it serves.

use super::folder::{ClusterFolder, Settings, State};
use super::{DataArgs, foreground, launch, nearby, port};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;

/// Options of `velo cluster start`.
#[derive(Debug, Clone, Args)]
pub struct StartArgs {
    /// Port to listen on; 0 lets the system choose [default: the one it had, at first 9092]
    #[arg(long)]
    pub port: Option<u16>,
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
    fn settings(&self, folder: &ClusterFolder) -> Outcome<Settings> {
        let port = match self.port {
            Some(port) => port,
            None => folder.last_port()?.unwrap_or(ClusterFolder::FIRST_PORT),
        };
        Ok(Settings {
            port,
            listen_anyone: self.listen_anyone,
            set: self.set.clone(),
        })
    }

    /// The options that a cluster which runs already does not honour, as typed.
    fn not_honoured_by(&self, state: &State) -> Vec<String> {
        let mut options = Vec::new();
        if let Some(port) = self.port
            && port != 0
            && state.port() != Some(port)
        {
            options.push(format!("--port {port}"));
        }
        if self.listen_anyone && !state.settings.listen_anyone {
            options.push("--listen-anyone".to_owned());
        }
        let other = self.set.iter().filter(|set| !state.settings.set.contains(set));
        options.extend(other.map(|set| format!("--set {set}")));
        options
    }
}

/// Starts the cluster.
///
/// # Errors
/// When the port or the folder is taken, a setting is refused, the node cannot start, or one runs already that is not as
/// the options say.
pub fn run(args: &StartArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::of(&args.data, context);
    if !args.foreground
        && let Some(state) = folder.running()?
    {
        refuse_others(args, &folder, &state)?;
        context
            .ui
            .say(format!("The cluster already runs (process {}).", state.pid));
        return say_where(&state.bootstrap, &folder, context);
    }
    if args.listen_anyone {
        context.ui.say(
            "warning: --listen-anyone: every machine that reaches this port can read, write and delete everything",
        );
    }
    let settings = args.settings(&folder)?;
    if args.foreground {
        return foreground::run(&folder, settings, context);
    }
    detached(&folder, &settings, context)
}

/// A running cluster goes on as it was started.
fn refuse_others(args: &StartArgs, folder: &ClusterFolder, state: &State) -> Outcome {
    let options = args.not_honoured_by(state);
    if options.is_empty() {
        return Ok(());
    }
    let (options, data) = (options.join(" "), folder.data_option());
    Err(
        Failure::request(format!("the cluster already runs, without {options}"))
            .because(format!(
                "it serves at {} (process {}) as it was started",
                state.bootstrap, state.pid
            ))
            .hint(format!(
                "velo cluster stop{data}, then velo cluster start {options}{data}"
            )),
    )
}

/// Starts the cluster detached, and says where it serves.
pub(super) fn detached(folder: &ClusterFolder, settings: &Settings, context: &Context) -> Outcome {
    foreground::node_config(folder, settings)?;
    port::ensure_free(settings.port, folder, context)?;
    if folder.last_state()?.is_some() {
        context
            .ui
            .say("The last cluster did not stop cleanly; its logs are being checked.");
    }
    let launched = {
        let _waiting = context.ui.waiting_for("the cluster to serve");
        launch::detached(folder, settings)?
    };
    say_where(launched.bootstrap(), folder, context)
}

/// Says where the cluster serves, and what to type where commands would talk to another one.
fn say_where(bootstrap: &str, folder: &ClusterFolder, context: &Context) -> Outcome {
    let ui = context.ui;
    ui.say(format!("The cluster serves at {bootstrap}."));
    if let Some(state) = folder.running()? {
        foreground::tell_class(&state, context);
    }
    let servers = context.connection.servers().unwrap_or_default();
    let is_it =
        |(host, port): &(String, u16)| nearby::is_here(host) && bootstrap.ends_with(&format!(":{port}"));
    if context.address.is_named() && servers.iter().any(is_it) {
        return Ok(());
    }
    if let Some(how) = context.address.how_to_mean(bootstrap, folder, &context.places)? {
        ui.say(how);
    }
    Ok(())
}
