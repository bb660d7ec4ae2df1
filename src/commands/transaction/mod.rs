//! `velo transaction`: list, describe and abort transactions of producers.

mod abort;
mod describe;
mod list;

use super::Context;
use crate::failure::{Failure, Outcome};
use crate::kafka::KafkaError;
use clap::Subcommand;

/// What to do with transactions.
#[derive(Debug, Subcommand)]
pub enum TransactionCommand {
    /// List transactional ids and where their transactions are
    List(list::ListArgs),
    /// Show a transaction: its producer, how long it has been open, its partitions
    Describe(describe::DescribeArgs),
    /// Abort the open transaction of a transactional id; its producer cannot go on
    Abort(abort::AbortArgs),
}

impl TransactionCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            TransactionCommand::List(args) => list::run(&args, context),
            TransactionCommand::Describe(args) => describe::run(&args, context),
            TransactionCommand::Abort(args) => abort::run(&args, context),
        }
    }
}

/// What cannot be done with the transaction of that id.
fn failure(what: String, error: KafkaError) -> Failure {
    if error.protocol_code() != NOT_FOUND {
        return error.into_failure(what);
    }
    Failure::request(what)
        .because("no producer has used that transactional id, or not for a week")
        .hint("velo transaction list")
}

/// `TRANSACTIONAL_ID_NOT_FOUND`
const NOT_FOUND: i16 = 105;
