//! What a request makes of a machine, and why it makes nothing.

use super::{Machine, Producer};
use crate::broker::error::BrokerError;
use kafka_protocol::ResponseError;
use std::fmt;

/// What an answer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// Nothing: it goes out once the records are written.
    Written,
    /// Until every in-sync replica has the step's records.
    #[default]
    Committed,
    /// The same, and where there are no records, until every in-sync replica has the one at this offset: what the answer
    /// tells must not be lost with this broker.
    CommittedTo(i64),
}

impl Wait {
    /// The offset that is waited for, when the step's last record stands at `last`.
    pub(super) fn offset(self, last: Option<i64>) -> Option<i64> {
        match self {
            Wait::Written => None,
            Wait::Committed => last,
            Wait::CommittedTo(offset) => Some(last.unwrap_or(offset)),
        }
    }
}

/// A change of what lies beside the machine, made after the records have been replayed.
pub(super) type Settle<M> = Box<dyn FnOnce(&M, &mut <M as Machine>::Soft) + Send>;
/// Answers to others than the one who asked.
pub(super) type Tell = Box<dyn FnOnce(Result<(), &Refused>) + Send>;

/// What a request makes of a machine: records, and an answer that waits until they are written or committed.
pub struct Step<M: Machine, A> {
    pub(super) records: Vec<M::Record>,
    pub(super) producer: Option<Producer>,
    pub(super) answer: A,
    pub(super) wait: Wait,
    pub(super) settle: Option<Settle<M>>,
    pub(super) tell: Option<Tell>,
}

impl<M: Machine, A> Step<M, A> {
    /// Changes nothing, and answers at once.
    pub fn answer(answer: A) -> Self {
        Step {
            wait: Wait::Written,
            ..Step::write(Vec::new(), answer)
        }
    }

    /// Writes records, and answers when every in-sync replica has them.
    pub fn write(records: Vec<M::Record>, answer: A) -> Self {
        Step {
            records,
            producer: None,
            answer,
            wait: Wait::Committed,
            settle: None,
            tell: None,
        }
    }

    /// Answers when this has come.
    #[must_use]
    pub fn waiting(self, wait: Wait) -> Self {
        Step { wait, ..self }
    }

    /// The records are part of that producer's transaction.
    #[must_use]
    pub fn in_transaction(self, producer: Producer) -> Self {
        Step {
            producer: Some(producer),
            ..self
        }
    }

    /// Changes what lies beside the machine, once the records have been replayed. Where the log refuses them it stays as it
    /// was, like the machine.
    #[must_use]
    pub fn settling(self, settle: impl FnOnce(&M, &mut M::Soft) + Send + 'static) -> Self {
        Step {
            settle: Some(Box::new(settle)),
            ..self
        }
    }

    /// Answers others as well: at the time of the answer, or with why it cannot be given. Where the log refuses the records,
    /// they wait on.
    #[must_use]
    pub fn telling(self, tell: impl FnOnce(Result<(), &Refused>) + Send + 'static) -> Self {
        Step {
            tell: Some(Box::new(tell)),
            ..self
        }
    }
}

impl<M: Machine, A> fmt::Debug for Step<M, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("records", &self.records.len())
            .field("producer", &self.producer)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// Why a request made nothing of a machine, or cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The log is still being read.
    #[error("its log is being read")]
    Loading,
    /// This broker leads the log no longer, or cannot read it.
    #[error("its log is not led here")]
    NotLed,
    /// The plan refused it.
    #[error("{0:?}")]
    Plan(ResponseError),
    /// The log refused the records: nothing has changed.
    #[error("its log refuses: {0}")]
    Log(#[from] BrokerError),
    /// The records are written, but the in-sync replicas did not get them in time.
    #[error("its log is not replicated in time")]
    Late,
}

impl From<ResponseError> for Refused {
    fn from(error: ResponseError) -> Self {
        Refused::Plan(error)
    }
}

impl Refused {
    /// What a client of a group or transaction coordinator is told: where to go and when to try again.
    pub fn of_coordinator(&self) -> ResponseError {
        let log = match self {
            Refused::Loading => return ResponseError::CoordinatorLoadInProgress,
            Refused::NotLed => return ResponseError::NotCoordinator,
            Refused::Plan(error) => return *error,
            Refused::Late => return ResponseError::CoordinatorNotAvailable,
            Refused::Log(error) => error.response_error(),
        };
        match log {
            ResponseError::UnknownTopicOrPartition | ResponseError::NotEnoughReplicas => {
                ResponseError::CoordinatorNotAvailable
            }
            ResponseError::NotLeaderOrFollower | ResponseError::KafkaStorageError => {
                ResponseError::NotCoordinator
            }
            _ => ResponseError::UnknownServerError,
        }
    }
}
