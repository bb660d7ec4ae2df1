//! The coordinator: finds the shard of a transactional id and asks it.

use super::config::TransactionConfig;
use super::machine::{Beside, TransactionSettings, TransactionStep, Transactions};
use super::state::{State, TopicPartition, Transaction};
use super::{End, Ended, Fresh, Initialise, Initialised};
use crate::broker::machine::{Journal, Producer, Refused, Router, RouterSettings, Shard, Wait};
use crate::broker::metadata::MetadataImage;
use crate::broker::replication::ReplicaManager;
use crate::broker::world::World;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicI16, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Where transactions are kept.
pub const TRANSACTIONS_TOPIC: &str = "__transaction_state";
/// The longest `transactional.id`, in bytes: a record's strings end at 32,767.
const MAX_ID_BYTES: usize = 32_000;
/// The feature that says which protocol clients may speak (KIP-890).
const TRANSACTION_VERSION: &str = "transaction.version";

/// Coordinates the transactions whose `__transaction_state` partition this broker leads.
pub struct TransactionCoordinator {
    cluster_version: Arc<AtomicI16>,
    router: Router<Transactions>,
    /// The ids of transactions whose markers are to be written, until somebody takes it to write them.
    endings: Mutex<Option<UnboundedReceiver<String>>>,
}

/// A transaction that is decided, and whose markers are to be written.
pub struct Ending {
    id: String,
    shard: Arc<Shard<Transactions>>,
    decided: Transaction,
}

impl TransactionCoordinator {
    /// A coordinator that leads nothing yet.
    pub fn new(config: TransactionConfig, node_id: i32, world: World, replicas: Arc<ReplicaManager>) -> Self {
        let (endings, taken) = unbounded_channel();
        let cluster_version = Arc::new(AtomicI16::new(0));
        let routing = RouterSettings {
            topic: TRANSACTIONS_TOPIC,
            node_id,
            world,
            commit_timeout: Duration::from_millis(config.commit_timeout_ms),
        };
        let settings = TransactionSettings {
            config,
            cluster_version: Arc::clone(&cluster_version),
            endings,
        };
        TransactionCoordinator {
            cluster_version,
            router: Router::new(routing, settings, replicas),
            endings: Mutex::new(Some(taken)),
        }
    }

    /// Follows a new image, after [`ReplicaManager::apply`] did: takes over the transactions of partitions that this broker
    /// now leads, and gives up those it no longer leads.
    pub fn apply(&self, image: &Arc<MetadataImage>) {
        let version = image.features.get(TRANSACTION_VERSION).copied().unwrap_or(0);
        self.cluster_version.store(version, Ordering::Release);
        self.router.apply(image);
    }

    /// The partition of `__transaction_state` that keeps that transactional id, if the topic exists.
    pub fn partition_for(&self, id: &str) -> Option<i32> {
        self.router.partition_for(id)
    }

    /// Initialises a producer of that transactional id, with a fresh producer id if one is needed.
    ///
    /// # Errors
    /// What the plan refuses, and as [`TransactionCoordinator::ask`].
    pub async fn initialise(
        &self,
        id: &str,
        asked: Initialise,
        fresh: Option<i64>,
    ) -> Result<Fresh<Initialised>, ResponseError> {
        self.ask(id, |transactions, beside, now| {
            transactions.initialise(beside, id, asked, fresh, now)
        })
        .await
    }

    /// Takes partitions into a transaction.
    ///
    /// # Errors
    /// What the plan refuses, and as [`TransactionCoordinator::ask`].
    pub async fn add(
        &self,
        id: &str,
        producer: Producer,
        partitions: Vec<TopicPartition>,
        client_version: i16,
    ) -> Result<(), ResponseError> {
        self.ask(id, |transactions, _, now| {
            transactions.add(id, producer, partitions, client_version, now)
        })
        .await
    }

    /// Which of the partitions are in a transaction.
    ///
    /// # Errors
    /// What the plan refuses, and as [`TransactionCoordinator::ask`].
    pub async fn verify(
        &self,
        id: &str,
        producer: Producer,
        partitions: &[TopicPartition],
    ) -> Result<Vec<bool>, ResponseError> {
        self.ask(id, |transactions, _, _| {
            transactions.verify(id, producer, partitions)
        })
        .await
    }

    /// Ends a transaction, with a fresh producer id if one is needed.
    ///
    /// # Errors
    /// What the plan refuses, and as [`TransactionCoordinator::ask`].
    pub async fn end(&self, id: &str, asked: End, fresh: Option<i64>) -> Result<Fresh<Ended>, ResponseError> {
        self.ask(id, |transactions, _, now| transactions.end(id, asked, fresh, now))
            .await
    }

    /// Who writes markers takes from here the ids of the transactions to be ended; once.
    pub fn take_endings(&self) -> Option<UnboundedReceiver<String>> {
        self.endings.lock().take()
    }

    /// A transaction that is to be ended, once every in-sync replica knows how; `None` when it is ended already.
    ///
    /// # Errors
    /// [`Refused::NotLed`] when that is another broker's business now; [`Refused::Loading`] and [`Refused::Late`] mean
    /// that it is worth asking again.
    pub async fn ending(&self, id: &str) -> Result<Option<Ending>, Refused> {
        let Some(shard) = self.router.shard(id)? else {
            return Ok(None);
        };
        let decided = shard
            .ask(|transactions, _, _| {
                let known = transactions.get(id).filter(|known| known.state.is_ending());
                let recorded_at = known.map_or(-1, |known| known.recorded_at);
                Ok(TransactionStep::answer(known.cloned()).waiting(Wait::CommittedTo(recorded_at)))
            })
            .await?;
        Ok(decided.map(|decided| Ending {
            id: id.to_owned(),
            shard,
            decided,
        }))
    }

    /// Writes the marker of another transaction into the log of this coordinator's own partition.
    ///
    /// # Errors
    /// As [`TransactionCoordinator::ask`].
    pub async fn mark(
        &self,
        partition: i32,
        producer: Producer,
        commits: bool,
        coordinator_epoch: i32,
    ) -> Result<(), Refused> {
        self.router
            .mark(partition, producer, commits, coordinator_epoch)
            .await
    }

    /// Transactions whose markers are being written.
    pub fn endings(&self) -> usize {
        let shards = self.router.shards();
        let ending = shards.iter().map(|shard| {
            shard.look(|transactions, _| {
                let all = transactions.all();
                all.filter(|(_, transaction)| transaction.state.is_ending())
                    .count()
            })
        });
        ending.filter_map(Result::ok).sum()
    }

    /// All shards.
    pub(super) fn shards(&self) -> Vec<Arc<Shard<Transactions>>> {
        self.router.shards()
    }

    fn shard(&self, id: &str) -> Result<Arc<Shard<Transactions>>, ResponseError> {
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(ResponseError::InvalidRequest);
        }
        let shard = self.router.shard(id);
        let shard = shard.map_err(|refused| refused.of_coordinator())?;
        shard.ok_or(ResponseError::NotCoordinator)
    }

    /// Plans on the shard of that id, writes, and waits until every in-sync replica has what the answer rests on.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for an id that can be none; as [`Refused::of_coordinator`] says it: what the plan refuses,
    /// `COORDINATOR_LOAD_IN_PROGRESS`, `NOT_COORDINATOR`, `COORDINATOR_NOT_AVAILABLE`.
    pub(super) async fn ask<A>(
        &self,
        id: &str,
        plan: impl FnOnce(&Transactions, &Beside, i64) -> Result<TransactionStep<A>, ResponseError>,
    ) -> Result<A, ResponseError> {
        let asked = self.shard(id)?.ask(plan).await;
        asked.map_err(|refused| refused.of_coordinator())
    }

    /// Looks at the shard of that id.
    ///
    /// # Errors
    /// As [`TransactionCoordinator::ask`].
    pub(super) fn look<A>(
        &self,
        id: &str,
        look: impl FnOnce(&Transactions) -> A,
    ) -> Result<A, ResponseError> {
        let looked = self.shard(id)?.look(|transactions, _| look(transactions));
        looked.map_err(|refused| refused.of_coordinator())
    }
}

impl Ending {
    /// Its transactional id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The transaction, as it was decided.
    pub fn decided(&self) -> &Transaction {
        &self.decided
    }

    /// Whether it is committed.
    pub fn commits(&self) -> bool {
        self.decided.state == State::PrepareCommit
    }

    /// Epoch of the coordinator that decided it, which its markers tell: of two, the later is right.
    pub fn coordinator_epoch(&self) -> i32 {
        self.shard.journal().epoch()
    }

    /// Whether it still is this broker's business.
    pub fn is_ours(&self) -> bool {
        self.shard.journal().is_ours()
    }

    /// All its markers are in.
    ///
    /// # Errors
    /// As [`Shard::ask`].
    pub async fn complete(&self) -> Result<(), Refused> {
        let completed = self
            .shard
            .ask(|transactions, _, now| Ok(transactions.complete(&self.id, &self.decided, now)));
        completed.await.map(|_| ())
    }
}
