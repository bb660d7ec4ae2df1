//! A coordinator on real logs in a folder of its own, without a server and without anybody who writes markers.

use crate::broker::config::NodeConfig;
use crate::broker::machine::Producer;
use crate::broker::metadata::MetadataImage;
use crate::broker::replication::{Partition, ReplicaManager};
use crate::broker::tests::bench::{NODE, add_topic, advance_until, open_replicas};
use crate::broker::transactions::machine::Transactions;
use crate::broker::transactions::{
    End, Ended, Fresh, Initialise, Initialised, State, TRANSACTIONS_TOPIC, Transaction, TransactionConfig,
    TransactionCoordinator,
};
use crate::broker::world::disk::refusing::{Refused, Refusing};
use crate::clock::Clock;
use kafka_protocol::ResponseError;
use std::cell::Cell;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

pub const ID: &str = "id";
pub const TIMEOUT_MS: i32 = 60_000;

/// A broker's transactions: logs, metadata, coordinator.
pub struct Bench {
    folder: TempDir,
    pub clock: Clock,
    config: TransactionConfig,
    image: MetadataImage,
    replicas: Arc<ReplicaManager>,
    pub coordinator: TransactionCoordinator,
    endings: UnboundedReceiver<String>,
    next_producer_id: Cell<i64>,
    _refusing: Option<Refusing>,
}

impl Bench {
    /// `__transaction_state` with two partitions, both led here, in a cluster of that `transaction.version`.
    pub async fn new(version: i16) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Clock::manual(1_000_000);
        let config = TransactionConfig::new(&NodeConfig::from_properties([].into()).unwrap());
        let mut image = MetadataImage::default();
        image.features.insert("transaction.version".to_owned(), version);
        add_topic(&mut image, TRANSACTIONS_TOPIC, 2);
        let (replicas, coordinator) = open(&folder, &clock, &config, &image);
        let endings = coordinator.take_endings().unwrap();
        let bench = Bench {
            folder,
            clock,
            config,
            image,
            replicas,
            coordinator,
            endings,
            next_producer_id: Cell::new(100),
            _refusing: None,
        };
        bench.loaded().await;
        bench
    }

    /// Drops everything in memory, as a crash does, and starts again on the same folder.
    pub async fn crash_and_restart(&mut self) {
        let empty = TempDir::new().unwrap();
        let nothing = MetadataImage::default();
        // The old ones go first: no two may have the same files open.
        (self.replicas, self.coordinator) = open(&empty, &self.clock, &self.config, &nothing);
        (self.replicas, self.coordinator) = open(&self.folder, &self.clock, &self.config, &self.image);
        self.endings = self.coordinator.take_endings().unwrap();
        self.loaded().await;
    }

    async fn loaded(&self) {
        while self.coordinator.list(&Default::default(), 0).is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Initialises a producer; `expected` is what it says it has.
    pub async fn initialise(&self, expected: Option<Producer>) -> Result<Initialised, ResponseError> {
        let asked = Initialise {
            timeout_ms: TIMEOUT_MS,
            expected,
        };
        let mut fresh = None;
        loop {
            match self.coordinator.initialise(ID, asked, fresh).await? {
                Fresh::Done(initialised) => return Ok(initialised),
                Fresh::NeedsProducerId => fresh = Some(self.fresh()),
            }
        }
    }

    /// A producer that may begin.
    pub async fn ready(&self) -> Producer {
        match self.initialise(None).await {
            Ok(Initialised::Ready(producer)) => producer,
            other => panic!("{other:?}"),
        }
    }

    fn fresh(&self) -> i64 {
        let id = self.next_producer_id.get();
        self.next_producer_id.set(id + 1);
        id
    }

    /// Takes `t`-`partition` into the transaction.
    pub async fn add(&self, producer: Producer, partition: i32, version: i16) -> Result<(), ResponseError> {
        let partitions = vec![("t".to_owned(), partition)];
        self.coordinator.add(ID, producer, partitions, version).await
    }

    /// Commits or aborts.
    pub async fn end(
        &self,
        producer: Producer,
        commits: bool,
        client_version: i16,
    ) -> Result<Ended, ResponseError> {
        let asked = End {
            producer,
            commits,
            client_version,
        };
        let mut fresh = None;
        loop {
            match self.coordinator.end(ID, asked, fresh).await? {
                Fresh::Done(ended) => return Ok(ended),
                Fresh::NeedsProducerId => fresh = Some(self.fresh()),
            }
        }
    }

    /// The ids whose markers are to be written.
    pub fn endings(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(id) = self.endings.try_recv() {
            all.push(id);
        }
        all
    }

    /// All markers are written.
    pub async fn complete(&mut self) {
        assert!(self.endings().contains(&ID.to_owned()), "nothing is to be ended");
        let ending = self.coordinator.ending(ID).await.unwrap().unwrap();
        ending.complete().await.unwrap();
    }

    /// Records a transaction as it is.
    pub async fn put(&self, transaction: Transaction) {
        self.coordinator
            .ask(ID, |transactions, _, _| {
                Ok(transactions.record(ID, transaction, ()))
            })
            .await
            .unwrap();
    }

    /// The transaction.
    pub fn transaction(&self) -> Transaction {
        self.coordinator.describe(ID).unwrap()
    }

    /// What the id's log adds up to.
    pub fn machine(&self) -> Transactions {
        self.coordinator.look(ID, Clone::clone).unwrap()
    }

    /// State, producer id and epoch.
    pub fn stands(&self) -> (State, i64, i16) {
        let known = self.transaction();
        (known.state, known.producer_id, known.epoch)
    }

    fn partition(&self) -> Arc<Partition> {
        let index = self.coordinator.partition_for(ID).unwrap();
        self.replicas.partition(TRANSACTIONS_TOPIC, index).unwrap()
    }

    /// The disk refuses what is written to the id's log, until [`Bench::disk_serves`].
    pub fn disk_refuses(&mut self) {
        let dir = self.partition().log.dir();
        self._refusing = Some(Refusing::new(&dir, Refused::Write));
    }

    /// The disk serves again, and the log has been recovered.
    pub async fn disk_serves(&mut self) {
        self._refusing = None;
        self.partition().log.recover().unwrap();
        self.loaded().await;
    }

    /// Moves the clock and waits until `fact` holds.
    pub async fn advance_until(&self, ms: u64, fact: impl Fn(&Self) -> bool) {
        advance_until(&self.clock, ms, || fact(self)).await;
    }
}

fn open(
    folder: &TempDir,
    clock: &Clock,
    config: &TransactionConfig,
    image: &MetadataImage,
) -> (Arc<ReplicaManager>, TransactionCoordinator) {
    let replicas = open_replicas(folder.path(), clock, image);
    let coordinator =
        TransactionCoordinator::new(config.clone(), NODE, clock.clone().into(), Arc::clone(&replicas));
    coordinator.apply(&Arc::new(image.clone()));
    (replicas, coordinator)
}
