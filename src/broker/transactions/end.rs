//! EndTxn: a transaction is decided. The answer comes when that is on every in-sync replica; the markers follow.

use super::Fresh;
use super::machine::{TransactionStep, Transactions};
use super::state::{BUMPS_EPOCH, NO_PRODUCER_ID, State, Transaction, is_exhausted};
use crate::broker::machine::{Producer, Wait};
use kafka_protocol::ResponseError;

/// What a producer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Who asks.
    pub producer: Producer,
    /// Whether it commits.
    pub commits: bool,
    /// `transaction.version` that it speaks.
    pub client_version: i16,
}

/// The producer as it goes on from there.
pub type Ended = Producer;

/// What a transaction's state and the producer's epoch make of it.
enum Verdict {
    /// It is decided now.
    Decide,
    /// It was, and the producer has not heard of it.
    Told,
    /// Its markers are being written: the producer asks again.
    Wait,
    /// It cannot be.
    Invalid,
}

impl Transactions {
    /// Plans it, with a producer id that nobody has got yet if one is needed.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `CONCURRENT_TRANSACTIONS` while the same end goes on,
    /// `INVALID_TXN_STATE` for an end that cannot follow what was before.
    pub(super) fn end(
        &self,
        id: &str,
        asked: End,
        fresh: Option<i64>,
        now_ms: i64,
    ) -> Result<TransactionStep<Fresh<Ended>>, ResponseError> {
        let known = self.get(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        let version = asked.client_version.min(self.cluster_version());
        let verdict = match version {
            BUMPS_EPOCH.. => bumping(known, asked)?,
            _ => plain(known, asked)?,
        };
        match verdict {
            Verdict::Wait => Err(ResponseError::ConcurrentTransactions),
            Verdict::Invalid => {
                tracing::debug!(id, state = %known.state, commits = asked.commits, "cannot be ended so");
                Err(ResponseError::InvalidTxnState)
            }
            Verdict::Told => {
                let told = Fresh::Done(known.producer());
                Ok(TransactionStep::answer(told).waiting(Wait::CommittedTo(known.recorded_at)))
            }
            Verdict::Decide => {
                let exhausted = version >= BUMPS_EPOCH && is_exhausted(known.epoch);
                let next_id = match (exhausted, fresh) {
                    (true, None) => return Ok(TransactionStep::answer(Fresh::NeedsProducerId)),
                    (true, Some(fresh)) => fresh,
                    (false, _) => NO_PRODUCER_ID,
                };
                let version = if version >= BUMPS_EPOCH { version } else { 0 };
                let next = known.ended(asked.commits, version, next_id, now_ms);
                let goes_on = next.completed(now_ms).producer();
                Ok(self.decide(id, next, Fresh::Done(goes_on)))
            }
        }
    }

    /// All markers of a transaction that was decided as `decided` says are in; whether that is still so.
    pub(super) fn complete(&self, id: &str, decided: &Transaction, now_ms: i64) -> TransactionStep<bool> {
        match self.get(id).filter(|known| *known == decided) {
            Some(known) => self.record(id, known.completed(now_ms), true),
            None => TransactionStep::answer(false),
        }
    }
}

/// Before KIP-890: the epoch stays, so the state alone tells a repeated request from a wrong one.
///
/// # Errors
/// `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`
fn plain(known: &Transaction, asked: End) -> Result<Verdict, ResponseError> {
    if known.producer_id != asked.producer.id {
        return Err(ResponseError::InvalidProducerIdMapping);
    }
    if known.epoch != asked.producer.epoch {
        return Err(ResponseError::ProducerFenced);
    }
    Ok(match (known.state, asked.commits) {
        (State::Ongoing, _) => Verdict::Decide,
        (State::CompleteCommit, true) | (State::CompleteAbort, false) => Verdict::Told,
        (State::PrepareCommit, true) | (State::PrepareAbort, false) => Verdict::Wait,
        _ => Verdict::Invalid,
    })
}

/// Since KIP-890: each end bumps the epoch, so the epoch tells a repeated request (one less, or the last of the producer id
/// before) from the next one. A transaction that nothing has been written in may be aborted, not committed.
///
/// # Errors
/// `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`
fn bumping(known: &Transaction, asked: End) -> Result<Verdict, ResponseError> {
    let Producer { id, epoch } = asked.producer;
    let rolled_over =
        known.previous_producer_id == id && is_exhausted(epoch) && epoch < i16::MAX && known.epoch == 0;
    if known.producer_id != id && !rolled_over {
        return Err(ResponseError::InvalidProducerIdMapping);
    }
    let bumped = epoch.checked_add(1) == Some(known.epoch);
    let current = known.producer_id == id && epoch == known.epoch;
    let repeated = bumped || rolled_over;
    let valid = match known.state {
        State::Ongoing | State::Empty => current,
        State::PrepareCommit | State::PrepareAbort => bumped,
        State::CompleteCommit | State::CompleteAbort => repeated || current,
    };
    if !valid {
        return Err(ResponseError::ProducerFenced);
    }
    Ok(match (known.state, asked.commits) {
        (State::Ongoing, _) | (State::Empty, false) => Verdict::Decide,
        (State::CompleteCommit, true) | (State::CompleteAbort, false) if repeated => Verdict::Told,
        (State::CompleteCommit | State::CompleteAbort, false) if !repeated => Verdict::Decide,
        (State::PrepareCommit, true) | (State::PrepareAbort, false) => Verdict::Wait,
        _ => Verdict::Invalid,
    })
}
