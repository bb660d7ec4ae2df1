//! `velo transaction list`

use crate::commands::{Context, select};
use crate::failure::Outcome;
use crate::kafka::{TransactionFilter, TransactionListing, Wire};
use crate::ui::table::{Grid, number, text};
use crate::ui::units;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::time::Duration;

/// Options of `velo transaction list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only these transactional ids; globs such as 'velib-*' work
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only those in this state; may be given again
    #[arg(long, value_enum)]
    state: Vec<State>,
    /// Only those that began longer ago than this: `30s`, `15m`
    #[arg(long, value_name = "DURATION", value_parser = units::positive_duration)]
    longer_than: Option<Duration>,
}

/// Where a transaction may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// None has begun since the producer was started
    Empty,
    /// Open
    Ongoing,
    /// Committed, not in all partitions yet
    PrepareCommit,
    /// Aborted, not in all partitions yet
    PrepareAbort,
    /// The last one was committed
    CompleteCommit,
    /// The last one was aborted
    CompleteAbort,
}

/// Lists transactions.
///
/// # Errors
/// When a broker does not answer, or a pattern is malformed.
pub fn run(args: &ListArgs, context: &Context) -> Outcome {
    let patterns = args
        .ids
        .iter()
        .map(|id| select::matcher(id))
        .collect::<Outcome<Vec<_>>>()?;
    let filter = TransactionFilter {
        states: args.state.iter().map(|state| format!("{state:?}")).collect(),
        duration_ms: args
            .longer_than
            .map(|duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        ..TransactionFilter::default()
    };
    let mut wire = Wire::connect(&context.connection)?;
    let listed = wire.list_transactions(&filter);
    let mut listed = listed.map_err(|error| error.into_failure("cannot list transactions"))?;
    let wanted = |id: &str| patterns.is_empty() || patterns.iter().any(|glob| glob.is_match(id));
    listed.retain(|listing| wanted(&listing.transactional_id));
    listed.sort_by(|one, other| one.transactional_id.cmp(&other.transactional_id));
    if listed.is_empty() {
        let filtered = !patterns.is_empty() || !args.state.is_empty() || args.longer_than.is_some();
        context.ui.say(if filtered {
            "No transaction matches.\nhint: velo transaction list"
        } else {
            "There are no transactions yet: one comes to be when a producer begins it.\nhint: velo produce TOPIC \
             --transactional-id NAME"
        });
    }
    let value: Vec<Value> = listed.iter().map(to_json).collect();
    context.ui.show(&value, || to_grid(&listed))
}

fn to_json(listing: &TransactionListing) -> Value {
    json!({
        "transactional_id": listing.transactional_id,
        "state": listing.state,
        "producer_id": listing.producer_id,
        "coordinator": listing.coordinator,
    })
}

fn to_grid(listed: &[TransactionListing]) -> Grid {
    let mut grid = Grid::new([
        text("TRANSACTIONAL ID"),
        text("STATE"),
        number("PRODUCER"),
        number("COORDINATOR"),
    ]);
    for listing in listed {
        grid.row([
            listing.transactional_id.clone(),
            listing.state.clone(),
            listing.producer_id.to_string(),
            listing.coordinator.to_string(),
        ]);
    }
    grid
}
