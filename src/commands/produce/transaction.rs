//! All that one `velo produce` writes, in one transaction.

use crate::commands::select::typed;
use crate::failure::{Failure, Outcome};
use crate::kafka::producer::Producer;
use crate::kafka::transactions::no_coordinator;
use crate::kafka::{Connection, ErrorCode, KafkaError};
use crate::ui::Ui;
use std::time::Duration;

/// How long a coordinator may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open transaction.
pub struct Transaction<'a> {
    producer: &'a Producer,
    id: &'a str,
    aborts: bool,
}

impl<'a> Transaction<'a> {
    /// Takes the transactional id, which fences whoever had it before, and begins.
    ///
    /// # Errors
    /// When the cluster coordinates no transactions, or the coordinator refuses or does not answer.
    pub fn begin(
        connection: &Connection,
        producer: &'a Producer,
        id: &'a str,
        aborts: bool,
    ) -> Outcome<Self> {
        let failed = |error: KafkaError| {
            let what = format!("cannot begin a transaction of `{id}`");
            error.into_failure(what)
        };
        no_coordinator(connection, id).map_or(Ok(()), |error| Err(failed(error)))?;
        producer.init_transactions(PATIENCE).map_err(failed)?;
        producer.begin_transaction().map_err(failed)?;
        Ok(Transaction { producer, id, aborts })
    }

    /// Commits, or aborts if that is wanted or not all was written.
    ///
    /// # Errors
    /// What went wrong in writing; when the coordinator refuses or does not answer.
    pub fn end(self, ui: Ui, topic: &str, written: Outcome) -> Outcome {
        if let Err(failure) = written {
            return Err(match self.producer.abort_transaction(PATIENCE) {
                Ok(()) => {
                    ui.say(format!("The transaction of `{}` was aborted.", self.id));
                    failure
                }
                Err(error) => {
                    ui.say(format!(
                        "The transaction of `{}` could not be aborted: {error}",
                        self.id
                    ));
                    failure
                }
            });
        }
        if self.aborts {
            let aborted = self.producer.abort_transaction(PATIENCE);
            aborted.map_err(|error| self.failure("abort", error))?;
            ui.say(format!(
                "Aborted the transaction of `{}`. What it wrote shows with: velo consume {} --from-beginning --isolation \
                 read_uncommitted",
                self.id,
                typed(&[topic.to_owned()])
            ));
            return Ok(());
        }
        let committed = self.producer.commit_transaction(PATIENCE);
        committed.map_err(|error| self.failure("commit", error))?;
        ui.say(format!("Committed the transaction of `{}`.", self.id));
        Ok(())
    }

    fn failure(&self, verb: &str, error: KafkaError) -> Failure {
        let what = format!("cannot {verb} the transaction of `{}`", self.id);
        let fenced = matches!(
            error.code(),
            ErrorCode::ProducerFenced | ErrorCode::Fenced | ErrorCode::InvalidProducerEpoch
        );
        if !fenced {
            return error.into_failure(what);
        }
        Failure::request(what)
            .because("another producer has taken the id, or the transaction was open for too long")
            .hint(format!(
                "velo transaction describe {}",
                typed(&[self.id.to_owned()])
            ))
    }
}
