//! `velo storm bolt`: started by Storm, not by hand.

use super::run::LOOK_BACK;
use crate::commands::{Context, candidates};
use crate::exercises::storm::multilang::bolt::{self, Past};
use crate::failure::Outcome;
use crate::ui::Interrupt;
use clap::Args;
use std::io::{self, IsTerminal};

/// Options of `velo storm bolt`.
#[derive(Debug, Args)]
pub struct BoltArgs {
    /// Topic that the spouts read: a bolt that was started anew looks there for how the stations were before
    #[arg(long, add = candidates::topics())]
    topic: Option<String>,
    /// Records before the first tuple of each partition that are read for that
    #[arg(long, value_name = "RECORDS", requires = "topic", default_value_t = LOOK_BACK, value_parser = clap::value_parser!(i64).range(0..))]
    look_back: i64,
}

/// Runs it.
pub(super) fn run(args: BoltArgs, context: &Context) -> Outcome {
    tell_who_types(context);
    let interrupt = Interrupt::watch()?;
    let records = args.look_back;
    let past = args.topic.map(|topic| Past { topic, records });
    let past = past.as_ref().map(|past| (&context.connection, past));
    bolt::run(io::stdin(), past, context.ui, &|| interrupt.check())
}

/// Storm never reads this: it goes to a person alone.
pub(super) fn tell_who_types(context: &Context) {
    if io::stdin().is_terminal() {
        context.ui.say(
            "Storm starts this command and talks to it on standard input; `velo storm flux` writes the topology that does",
        );
    }
}
