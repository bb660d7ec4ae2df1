//! `velo storm flux`: the topology for a Storm cluster.

use super::SpoutGroup;
use super::run::{at_most, pending, tasks};
use crate::commands::{Context, candidates};
use crate::exercises::storm::flux::{HOW, Plan, SpoutKind, yaml};
use crate::exercises::velib::STATIONS_TOPIC;
use crate::failure::{Failure, Outcome};
use clap::Args;
use std::path::PathBuf;

/// Options of `velo storm flux`.
#[derive(Debug, Args)]
pub struct FluxArgs {
    /// Name of the topology on the Storm cluster
    #[arg(long, default_value = "stations")]
    name: String,
    /// Topic of the stations
    #[arg(long, default_value = STATIONS_TOPIC, add = candidates::topics())]
    topic: String,
    #[command(flatten)]
    spout_group: SpoutGroup,
    /// Who reads the topic
    #[arg(long, value_enum, default_value_t = SpoutKind::Kafka)]
    spout: SpoutKind,
    /// Tasks of the spout
    #[arg(long, value_name = "TASKS", default_value_t = 1, value_parser = tasks())]
    spouts: usize,
    /// Tasks of the bolt, a process each
    #[arg(long, value_name = "TASKS", default_value_t = 2, value_parser = tasks())]
    parallelism: usize,
    /// Worker processes of the Storm cluster (topology.workers)
    #[arg(long, value_name = "WORKERS", default_value_t = 1, value_parser = tasks())]
    workers: usize,
    /// Most tuples of a spout task that may be under way (topology.max.spout.pending)
    #[arg(long, value_name = "TUPLES", default_value_t = 10_000, value_parser = pending())]
    max_spout_pending: usize,
    /// Seconds that a tuple tree may take (topology.message.timeout.secs)
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = at_most(86_400))]
    message_timeout: usize,
    /// Seconds between two tick tuples (topology.tick.tuple.freq.secs)
    #[arg(long, value_name = "SECONDS", value_parser = at_most(86_400))]
    tick: Option<usize>,
    /// Path of velo on the machines of the Storm cluster [default: that of this program]
    #[arg(long, value_name = "PATH")]
    velo: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(args: FluxArgs, context: &Context) -> Outcome {
    // A cluster that is none would be found out only on the Storm cluster.
    context.connection.servers()?;
    if !context.connection.is_plaintext() {
        return Err(Failure::usage("the topology cannot be written for a secured cluster")
            .because("its passwords would stand in the file, and Storm's KafkaSpout takes them by Java's names")
            .hint("velo storm flux --bootstrap-server localhost:9092    (then add them with setProp)"));
    }
    let velo = match args.velo {
        Some(path) => path,
        None => std::env::current_exe()
            .map_err(|error| Failure::request("cannot tell where this program lies").because(error))?,
    };
    let plan = Plan {
        name: args.name,
        bootstrap: context.connection.bootstrap().to_owned(),
        topic: args.topic,
        group: args.spout_group.group,
        from_end: args.spout_group.from_end,
        spout: args.spout,
        spouts: args.spouts,
        parallelism: args.parallelism,
        workers: args.workers,
        max_spout_pending: args.max_spout_pending,
        message_timeout_secs: args.message_timeout as u64,
        tick_secs: args.tick.map(|tick| tick as u64),
        velo: velo.display().to_string(),
    };
    context.ui.line(yaml(&plan).trim_end())?;
    for line in HOW {
        context.ui.say(line);
    }
    Ok(())
}
