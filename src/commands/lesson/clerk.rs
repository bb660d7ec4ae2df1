//! `velo lesson clerk`: invoices for orders, at most once, at least once or exactly once, for the lesson about delivery.

use super::Desk;
use crate::commands::candidates;
use crate::course::clerk::{self, Commit, Plan, Shift};
use crate::course::facts::ClusterFacts;
use crate::course::live::Live;
use crate::failure::Outcome;
use crate::kafka::Admin;
use crate::ui::Interrupt;
use clap::Args;

/// Options of `velo lesson clerk`.
#[derive(Debug, Args)]
pub(super) struct ClerkArgs {
    /// Topic of the orders
    #[arg(add = candidates::topics())]
    orders: String,
    /// Topic of the invoices; made when it is missing
    #[arg(long, value_name = "TOPIC")]
    to: String,
    /// Group in which is noted how far the orders are done
    #[arg(long, add = candidates::groups())]
    group: String,
    /// When it is noted that a batch of 49 orders is done
    #[arg(long, value_name = "WHEN")]
    commit: Commit,
    /// Die like a program that is killed, when about to write the invoice of the order at this offset
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    die_at: Option<i64>,
}

pub(super) fn run(desk: &Desk<'_>, args: ClerkArgs) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let connection = &desk.context.connection;
    let admin = Admin::connect(connection).map_err(|failure| desk.context.advise(failure))?;
    admin.describe_topic(&args.orders)?;
    let facts = Live::new(admin);
    if !facts.cluster()?.topics.contains_key(&args.to) {
        facts.create_topic(&args.to, 1, None)?;
    }
    let plan = Plan {
        orders: args.orders,
        invoices: args.to,
        group: args.group,
        commit: args.commit,
        die_at: args.die_at,
    };
    let begins = |offset: i64| {
        let said = [("group", plan.group.as_str()), ("offset", &offset.to_string())];
        desk.context.ui.say(desk.words.fill("clerk.begins", &said));
    };
    let (shift, place) = clerk::work(connection, &plan, &begins, &|| interrupt.check())?;
    let Shift { written, died_at } = shift;
    let tell = |key: &str, offset: &str| {
        let said = [("written", written.to_string()), ("offset", offset.to_owned())];
        let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
        desk.context.ui.say(desk.words.fill(key, &said));
    };
    if let Some(offset) = died_at {
        tell("clerk.died", &offset.to_string());
        crate::process::die();
    }
    tell("clerk.done", "");
    place.leave(connection, &plan.group)
}
