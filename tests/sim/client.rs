//! A client of the cluster: connections to its brokers, and who leads what.

use super::cluster::{BROKERS, CLIENTS, port};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{FindCoordinatorRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::{Request, StrBytes};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use velodrome::broker::peer::Peer;
use velodrome::broker::world::net::Router;
use velodrome::broker::world::{Dice, Net};

use super::board::Board;
use super::deals::Deals;
use super::history::History;
use super::ledger::Ledger;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What all clients of a run share.
#[derive(Clone)]
pub struct Surroundings {
    pub router: Arc<Router>,
    pub history: History,
    pub ledger: Ledger,
    pub board: Board,
    pub deals: Deals,
    pub stage: Stage,
}

/// How far a run is. Cloning shares it.
#[derive(Clone, Default)]
pub struct Stage(Arc<AtomicU8>);

impl Stage {
    /// Everything has healed: clients end what they do, members of groups stay and keep still.
    pub fn calm_down(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// All end.
    pub fn close(&self) {
        self.0.store(2, Ordering::Relaxed);
    }
}

/// One client.
pub struct Client {
    pub name: String,
    pub dice: Dice,
    pub history: History,
    pub ledger: Ledger,
    pub board: Board,
    pub deals: Deals,
    net: Net,
    stage: Stage,
    peers: BTreeMap<i32, Peer>,
    /// Who leads, and in which epoch, as some broker has told.
    leaders: BTreeMap<(String, i32), (i32, i32)>,
}

/// A text of the protocol.
pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A topic's name.
pub fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

/// Kafka's name of a code.
pub fn code_name(code: i16) -> String {
    ResponseError::try_from_code(code).map_or("NONE".to_owned(), |error| format!("{error:?}"))
}

impl Client {
    pub fn new(surroundings: &Surroundings, name: String, seed: u64) -> Self {
        Client {
            name,
            dice: Dice::seeded(seed),
            history: surroundings.history.clone(),
            ledger: surroundings.ledger.clone(),
            board: surroundings.board.clone(),
            deals: surroundings.deals.clone(),
            net: Net::simulated(&surroundings.router, CLIENTS),
            stage: surroundings.stage.clone(),
            peers: BTreeMap::new(),
            leaders: BTreeMap::new(),
        }
    }

    /// Whether it is to go on.
    pub fn goes_on(&self) -> bool {
        self.stage.0.load(Ordering::Relaxed) == 0
    }

    /// Whether it is to stay, if only to keep still.
    pub fn stays(&self) -> bool {
        self.stage.0.load(Ordering::Relaxed) < 2
    }

    /// Closes its connections.
    pub fn hang_up(&mut self) {
        self.peers.clear();
    }

    /// Rests for as long as the dice say, in ms.
    pub async fn rest(&self, least: i32, most: i32) {
        let wait = u64::try_from(self.dice.number(least..=most)).unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    /// One out of several.
    pub fn one_of<T: Copy>(&self, all: &[T]) -> T {
        let last = i32::try_from(all.len() - 1).unwrap();
        all[usize::try_from(self.dice.number(0..=last)).unwrap()]
    }

    /// Asks a broker; nothing when it does not answer.
    pub async fn ask<Q: Request>(&mut self, broker: i32, request: &Q, version: i16) -> Option<Q::Response> {
        let peer = self.peers.entry(broker).or_insert_with(|| {
            let (name, longest) = (self.name.clone(), 64 << 20);
            Peer::new(&self.net, "127.0.0.1", port(broker), name, longest)
        });
        peer.ask(request, version, PATIENCE).await.ok()
    }

    /// Asks any of the brokers.
    pub async fn ask_any<Q: Request>(&mut self, request: &Q, version: i16) -> Option<Q::Response> {
        let broker = self.one_of(&BROKERS);
        self.ask(broker, request, version).await
    }

    /// The broker that leads a partition, as far as this client knows; it asks when it does not.
    pub async fn leader(&mut self, name: &str, partition: i32) -> Option<i32> {
        let leads = self.leads(name, partition).await?;
        Some(leads.0)
    }

    /// The same, and in which epoch it leads.
    pub async fn leads(&mut self, name: &str, partition: i32) -> Option<(i32, i32)> {
        let key = (name.to_owned(), partition);
        if let Some(known) = self.leaders.get(&key) {
            return Some(*known);
        }
        let wanted = MetadataRequestTopic::default().with_name(Some(topic(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![wanted]))
            .with_allow_auto_topic_creation(false);
        let answer = self.ask_any(&request, 9).await?;
        for topic in answer.topics {
            for partition in topic.partitions {
                if partition.error_code == 0 && partition.leader_id.0 >= 0 {
                    let key = (name.to_owned(), partition.partition_index);
                    let leads = (partition.leader_id.0, partition.leader_epoch);
                    self.leaders.insert(key, leads);
                }
            }
        }
        self.leaders.get(&key).copied()
    }

    /// Who was taken for the leader is not, or does not answer.
    pub fn forget_leader(&mut self, name: &str, partition: i32) {
        self.leaders.remove(&(name.to_owned(), partition));
    }

    /// The broker that coordinates a group.
    pub async fn coordinator(&mut self, group: &str) -> Option<i32> {
        self.find_coordinator(group, 0).await
    }

    /// The broker that coordinates the transactions of an id.
    pub async fn coordinator_of_transactions(&mut self, id: &str) -> Option<i32> {
        self.find_coordinator(id, 1).await
    }

    async fn find_coordinator(&mut self, key: &str, key_type: i8) -> Option<i32> {
        let request = FindCoordinatorRequest::default()
            .with_key(text(key))
            .with_key_type(key_type);
        let answer = self.ask_any(&request, 3).await?;
        (answer.error_code == 0).then_some(answer.node_id.0)
    }
}
