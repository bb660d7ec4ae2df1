//! What a partition of `__transaction_state` adds up to: the transactions of its transactional ids, as last recorded.

use super::config::TransactionConfig;
use super::records::StateRecord;
use super::state::{NO_EPOCH, State, Transaction};
use crate::broker::machine::{Machine, Position, Step};
use crate::broker::records::RecordError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI16, Ordering};
use tokio::sync::mpsc::UnboundedSender;

/// What transactions depend on beside their log.
#[derive(Debug, Clone)]
pub struct TransactionSettings {
    /// The settings of the node.
    pub config: TransactionConfig,
    /// `transaction.version` of the cluster.
    pub cluster_version: Arc<AtomicI16>,
    /// Takes the ids of transactions that are decided, whose markers are to be written.
    pub endings: UnboundedSender<String>,
}

/// A step that transactions take.
pub type TransactionStep<A> = Step<Transactions, A>;

/// The transactions of a partition of `__transaction_state`, by transactional id.
#[derive(Debug, Clone)]
pub struct Transactions {
    all: BTreeMap<String, Transaction>,
    /// How many of them are open.
    ongoing: usize,
    settings: TransactionSettings,
}

impl PartialEq for Transactions {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all && self.ongoing == other.ongoing
    }
}

/// What lies beside the transactions and dies with this broker's lead.
#[derive(Debug)]
pub struct Beside {
    /// The epoch before the last initialisation, of ids whose producer named the one it had: it may ask again.
    epochs_before: BTreeMap<String, i16>,
    /// When open transactions are next looked at, in ms.
    abort_check_ms: i64,
    /// When idle ids are next looked at, in ms.
    expiry_check_ms: i64,
    endings: UnboundedSender<String>,
}

/// What is due.
#[derive(Debug)]
pub enum Due {
    /// An open transaction has timed out.
    TimedOut(String),
    /// Ids have been idle for so long that they are forgotten.
    Expired(Vec<String>),
    /// Open transactions have been looked at.
    AbortsChecked,
    /// Idle ids have been looked at.
    ExpiryChecked,
}

impl Machine for Transactions {
    type Record = StateRecord;
    type Settings = TransactionSettings;
    type Soft = Beside;
    type Due = Due;

    fn new(settings: &TransactionSettings) -> Self {
        Transactions {
            all: BTreeMap::new(),
            ongoing: 0,
            settings: settings.clone(),
        }
    }

    fn replay(&mut self, at: Position, record: StateRecord) {
        let is_open = |transaction: Option<&Transaction>| {
            transaction.is_some_and(|transaction| transaction.state == State::Ongoing)
        };
        let (id, transaction) = record.into_parts();
        let opened = is_open(transaction.as_ref());
        let before = match transaction {
            Some(transaction) => {
                let recorded_at = at.offset;
                let transaction = Transaction {
                    recorded_at,
                    ..transaction
                };
                self.all.insert(id, transaction)
            }
            None => self.all.remove(&id),
        };
        self.ongoing += usize::from(opened);
        self.ongoing -= usize::from(is_open(before.as_ref()));
    }

    /// As in Apache Kafka: a type that is not known may be from a newer one, and the log keeps it. A version that is not
    /// known is of a transaction that nobody here can end.
    fn leaves_alone(error: &RecordError) -> bool {
        matches!(error, RecordError::UnknownType(_))
    }

    /// Transactions that were decided are brought to their end.
    fn take_up(&self, now_ms: i64) -> Beside {
        let endings = self.settings.endings.clone();
        for (id, transaction) in &self.all {
            if transaction.state.is_ending() {
                send(&endings, id);
            }
        }
        Beside {
            epochs_before: BTreeMap::new(),
            abort_check_ms: now_ms.saturating_add(self.settings.config.abort_interval_ms),
            expiry_check_ms: now_ms.saturating_add(self.settings.config.expiry_interval_ms),
            endings,
        }
    }

    fn date_set(beside: &mut Beside, by_ms: i64) {
        for check_ms in [&mut beside.abort_check_ms, &mut beside.expiry_check_ms] {
            *check_ms = check_ms.saturating_add(by_ms);
        }
    }

    fn due(&self, beside: &Beside) -> Option<i64> {
        let aborts = (self.ongoing > 0).then_some(beside.abort_check_ms);
        let expiry = (!self.all.is_empty()).then_some(beside.expiry_check_ms);
        aborts.into_iter().chain(expiry).min()
    }

    fn all_due(&self, beside: &Beside, now_ms: i64) -> Vec<Due> {
        let mut all = Vec::new();
        if self.ongoing > 0 && beside.abort_check_ms <= now_ms {
            let timed_out = self
                .all
                .iter()
                .filter(|(_, transaction)| transaction.has_timed_out(now_ms));
            all.extend(timed_out.map(|(id, _)| Due::TimedOut(id.clone())));
            all.push(Due::AbortsChecked);
        }
        if beside.expiry_check_ms <= now_ms {
            let expired = self.expired(self.all.keys(), now_ms);
            if !expired.is_empty() {
                all.push(Due::Expired(expired));
            }
            all.push(Due::ExpiryChecked);
        }
        all
    }

    fn on_due(&self, _beside: &Beside, due: Due, now_ms: i64) -> TransactionStep<()> {
        let config = &self.settings.config;
        match due {
            Due::TimedOut(id) => match self.get(&id) {
                Some(transaction) if transaction.has_timed_out(now_ms) => {
                    tracing::info!(id, "the transaction has timed out: it is aborted");
                    self.fence(&id, transaction, (), now_ms)
                }
                _ => TransactionStep::answer(()),
            },
            Due::Expired(ids) => {
                let expired = self.expired(ids.iter(), now_ms);
                let tombstones = expired.iter().map(|id| StateRecord::tombstone(id)).collect();
                TransactionStep::write(tombstones, ()).settling(move |_, beside| {
                    for id in expired {
                        tracing::info!(id, "the transactional id has expired");
                        beside.epochs_before.remove(&id);
                    }
                })
            }
            Due::AbortsChecked => {
                let next = now_ms.saturating_add(config.abort_interval_ms);
                TransactionStep::answer(()).settling(move |_, beside| beside.abort_check_ms = next)
            }
            Due::ExpiryChecked => {
                let next = now_ms.saturating_add(config.expiry_interval_ms);
                TransactionStep::answer(()).settling(move |_, beside| beside.expiry_check_ms = next)
            }
        }
    }
}

impl Transactions {
    /// The transaction of that id.
    pub fn get(&self, id: &str) -> Option<&Transaction> {
        self.all.get(id)
    }

    /// All of them, by id.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Transaction)> {
        self.all.iter()
    }

    /// `transaction.version` of the cluster.
    pub(super) fn cluster_version(&self) -> i16 {
        self.settings.cluster_version.load(Ordering::Acquire)
    }

    /// The settings of the node.
    pub(super) fn config(&self) -> &TransactionConfig {
        &self.settings.config
    }

    /// Records the transaction as it now is.
    pub(super) fn record<A>(&self, id: &str, next: Transaction, answer: A) -> TransactionStep<A> {
        let record = StateRecord::new(id, next, self.cluster_version());
        TransactionStep::write(vec![record], answer)
    }

    /// Records that it is decided; then its markers are to be written.
    pub(super) fn decide<A>(&self, id: &str, next: Transaction, answer: A) -> TransactionStep<A> {
        let ending = id.to_owned();
        self.record(id, next, answer)
            .settling(move |_, beside| send(&beside.endings, &ending))
    }

    /// Aborts an open transaction against its producer's will.
    pub(super) fn fence<A>(
        &self,
        id: &str,
        transaction: &Transaction,
        answer: A,
        now_ms: i64,
    ) -> TransactionStep<A> {
        let fenced = transaction.fenced(self.cluster_version(), now_ms);
        let ending = id.to_owned();
        self.record(id, fenced, answer).settling(move |_, beside| {
            beside.epochs_before.remove(&ending);
            send(&beside.endings, &ending);
        })
    }

    fn expired<'a>(&self, ids: impl Iterator<Item = &'a String>, now_ms: i64) -> Vec<String> {
        let expiration_ms = self.settings.config.expiration_ms;
        let expired = ids.filter(|id| {
            self.get(id)
                .is_some_and(|transaction| transaction.has_expired(expiration_ms, now_ms))
        });
        expired.cloned().collect()
    }
}

impl Beside {
    /// The epoch that a producer had before the last answer, which it may not have heard.
    pub(super) fn epoch_before(&self, id: &str, transaction: &Transaction) -> i16 {
        match transaction.epoch_before_end() {
            NO_EPOCH => self.epochs_before.get(id).copied().unwrap_or(NO_EPOCH),
            epoch => epoch,
        }
    }

    /// Notes it; -1 for a producer that has not said.
    pub(super) fn note_epoch_before(&mut self, id: String, epoch: i16) {
        match epoch {
            NO_EPOCH => self.epochs_before.remove(&id),
            epoch => self.epochs_before.insert(id, epoch),
        };
    }
}

/// The transactions whose markers are to be written end with the coordinator, which holds the other side.
fn send(endings: &UnboundedSender<String>, id: &str) {
    if endings.send(id.to_owned()).is_err() {
        tracing::debug!(id, "nobody writes markers any more");
    }
}
