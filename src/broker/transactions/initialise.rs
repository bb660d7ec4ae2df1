//! InitProducerId of a transactional id (KIP-98, KIP-360): it keeps its producer id, and whoever had it before is fenced.

use super::Fresh;
use super::machine::{Beside, TransactionStep, Transactions};
use super::state::{NO_EPOCH, State, Transaction, is_exhausted};
use crate::broker::machine::Producer;
use kafka_protocol::ResponseError;

/// What a producer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Initialise {
    /// `transaction.timeout.ms`
    pub timeout_ms: i32,
    /// What the producer has, if it goes on after an error (KIP-360).
    pub expected: Option<Producer>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialised {
    /// The producer may begin.
    Ready(Producer),
    /// The transaction that was open is being aborted: the producer asks again.
    Aborting,
}

impl Transactions {
    /// Plans it, with a producer id that nobody has got yet if one is needed.
    ///
    /// # Errors
    /// `INVALID_TRANSACTION_TIMEOUT`, `PRODUCER_FENCED` for a producer that another one has followed,
    /// `CONCURRENT_TRANSACTIONS` while a transaction is being ended.
    pub(super) fn initialise(
        &self,
        beside: &Beside,
        id: &str,
        asked: Initialise,
        fresh: Option<i64>,
        now_ms: i64,
    ) -> Result<TransactionStep<Fresh<Initialised>>, ResponseError> {
        if asked.timeout_ms <= 0 || asked.timeout_ms > self.config().max_timeout_ms {
            return Err(ResponseError::InvalidTransactionTimeout);
        }
        let known = match (self.get(id), fresh) {
            (Some(known), _) => known.clone(),
            (None, Some(fresh)) => Transaction::new(fresh, asked.timeout_ms, now_ms),
            (None, None) => return Ok(TransactionStep::answer(Fresh::NeedsProducerId)),
        };
        if asked.expected.is_some_and(|had| !goes_on(&known, had)) {
            return Err(ResponseError::ProducerFenced);
        }
        if known.state.is_ending() {
            return Err(ResponseError::ConcurrentTransactions);
        }
        if known.state == State::Ongoing {
            return Ok(self.fence(id, &known, Fresh::Done(Initialised::Aborting), now_ms));
        }
        let before = beside.epoch_before(id, &known);
        let Some((producer, before)) = next_producer(&known, asked.expected, before, fresh)? else {
            return Ok(TransactionStep::answer(Fresh::NeedsProducerId));
        };
        let next = known.initialised(producer, asked.timeout_ms, now_ms);
        let noted = id.to_owned();
        let ready = Fresh::Done(Initialised::Ready(producer));
        Ok(self
            .record(id, next, ready)
            .settling(move |_, beside| beside.note_epoch_before(noted, before)))
    }
}

/// Whether a producer that names what it has can be the one that has the transactional id: also one that did not hear that
/// its epochs were used up, and that it has another producer id since.
fn goes_on(known: &Transaction, had: Producer) -> bool {
    known.epoch == NO_EPOCH
        || had.id == known.producer_id
        || (had.id == known.previous_producer_id && is_exhausted(had.epoch))
}

/// The producer's next id and epoch, and the epoch that it had before if it named that. `None` when it takes a fresh id.
///
/// # Errors
/// `PRODUCER_FENCED`
fn next_producer(
    known: &Transaction,
    expected: Option<Producer>,
    before: i16,
    fresh: Option<i64>,
) -> Result<Option<(Producer, i16)>, ResponseError> {
    let current = expected.is_none_or(|had| had.epoch == known.epoch);
    if is_exhausted(known.epoch) && current {
        let had = expected.map_or(NO_EPOCH, |_| known.epoch);
        return Ok(fresh.map(|id| (Producer { id, epoch: 0 }, had)));
    }
    let bumped = Producer {
        id: known.producer_id,
        epoch: known.epoch.saturating_add(1),
    };
    match expected {
        None => Ok(Some((bumped, NO_EPOCH))),
        Some(_) if current || known.epoch == NO_EPOCH => Ok(Some((bumped, known.epoch))),
        // It asks again what it was answered already.
        Some(had) if had.epoch == before => Ok(Some((known.producer(), before))),
        Some(_) => Err(ResponseError::ProducerFenced),
    }
}
