//! `velo transaction abort`

use super::failure;
use crate::commands::{Context, select};
use crate::failure::{Failure, Outcome};
use crate::kafka::Wire;
use clap::Args;
use serde_json::json;

/// Options of `velo transaction abort`.
#[derive(Debug, Args)]
pub struct AbortArgs {
    /// The transactional id
    #[arg(value_name = "ID")]
    id: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Aborts an open transaction.
///
/// # Errors
/// When none is open, nobody confirmed, or the cluster refuses.
pub fn run(args: &AbortArgs, context: &Context) -> Outcome {
    let id = &args.id;
    let what = || format!("cannot abort the transaction of `{id}`");
    let mut wire = Wire::connect(&context.connection)?;
    let found = wire.describe_transaction(id);
    let found = found.map_err(|error| failure(what(), error))?;
    if found.state != "Ongoing" {
        let typed = select::typed(std::slice::from_ref(id));
        return Err(Failure::request(what())
            .because(format!("none is open: it is {}", found.state))
            .hint(format!("velo transaction describe {typed}")));
    }
    let question = format!("Abort the open transaction of `{id}`? Its producer cannot go on.");
    let typed = select::typed(std::slice::from_ref(id));
    if !args.yes
        && !context
            .ui
            .confirm(&question, &format!("velo transaction abort {typed} --yes"))?
    {
        context.ui.say("Nothing was aborted.");
        return Ok(());
    }
    wire.terminate_transaction(id)
        .map_err(|error| failure(what(), error))?;
    context.ui.say(format!("Aborted the transaction of `{id}`."));
    if context.ui.is_json() {
        return context
            .ui
            .json(&json!({"transactional_id": id, "state": "aborted"}));
    }
    Ok(())
}
