//! A look at the cluster: what all checks of a step need, each thing asked for once, so that all of them see one moment.

use super::facts::{ClusterFacts, ClusterView, Group, Partition, PartitionOffsets, Seen};
use crate::failure::Outcome;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How many records of each partition are read at most.
const RECORDS: i64 = 12_000;

/// What was asked for so far.
struct Memo<K, V>(RefCell<BTreeMap<K, Rc<V>>>);

impl<K: Ord, V> Memo<K, V> {
    fn new() -> Self {
        Memo(RefCell::new(BTreeMap::new()))
    }

    fn get(&self, key: K, ask: impl FnOnce(&K) -> Outcome<V>) -> Outcome<Rc<V>> {
        if let Some(known) = self.0.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let asked = Rc::new(ask(&key)?);
        self.0.borrow_mut().insert(key, Rc::clone(&asked));
        Ok(asked)
    }
}

/// The cluster at one moment, as far as anybody asks.
pub struct Look<'a> {
    facts: &'a dyn ClusterFacts,
    began: BTreeSet<String>,
    cluster: Memo<(), ClusterView>,
    groups: Memo<(), BTreeSet<String>>,
    group: Memo<String, Option<Group>>,
    offsets: Memo<String, Option<Vec<PartitionOffsets>>>,
    records: Memo<String, Vec<Seen>>,
    uncommitted: Memo<String, usize>,
    open_transactions: Memo<String, usize>,
    topic_configs: Memo<String, BTreeMap<String, String>>,
    broker_configs: Memo<i32, BTreeMap<String, String>>,
}

impl<'a> Look<'a> {
    /// A look at a cluster; `began` are the members that were there when the step began.
    pub fn at(facts: &'a dyn ClusterFacts, began: BTreeSet<String>) -> Self {
        Look {
            facts,
            began,
            cluster: Memo::new(),
            groups: Memo::new(),
            group: Memo::new(),
            offsets: Memo::new(),
            records: Memo::new(),
            uncommitted: Memo::new(),
            open_transactions: Memo::new(),
            topic_configs: Memo::new(),
            broker_configs: Memo::new(),
        }
    }

    /// The members that were there when the step began.
    pub fn began(&self) -> &BTreeSet<String> {
        &self.began
    }

    /// Brokers and topics.
    ///
    /// # Errors
    /// When the cluster does not answer, as with all that follow.
    pub fn cluster(&self) -> Outcome<Rc<ClusterView>> {
        self.cluster.get((), |()| self.facts.cluster())
    }

    /// The partitions of a topic; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn topic(&self, topic: &str) -> Outcome<Option<Vec<Partition>>> {
        Ok(self.cluster()?.topics.get(topic).cloned())
    }

    /// The names of all groups.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn groups(&self) -> Outcome<Rc<BTreeSet<String>>> {
        self.groups.get((), |()| self.facts.groups())
    }

    /// A group; `None` when there is none, or nobody can tell now.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn group(&self, group: &str) -> Outcome<Rc<Option<Group>>> {
        self.group.get(group.to_owned(), |group| self.facts.group(group))
    }

    /// Start and end of each partition; `None` when one cannot be told now.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn offsets(&self, topic: &str) -> Outcome<Rc<Option<Vec<PartitionOffsets>>>> {
        self.offsets
            .get(topic.to_owned(), |topic| self.facts.offsets(topic))
    }

    /// The last records of each partition.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn records(&self, topic: &str) -> Outcome<Rc<Vec<Seen>>> {
        self.records
            .get(topic.to_owned(), |topic| self.facts.records(topic, RECORDS))
    }

    /// How many a reader of uncommitted records sees of the last records of each partition.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn uncommitted(&self, topic: &str) -> Outcome<usize> {
        let seen = self
            .uncommitted
            .get(topic.to_owned(), |topic| self.facts.uncommitted(topic, RECORDS));
        seen.map(|seen| *seen)
    }

    /// How many producers have a transaction open in a topic that exists.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn open_transactions(&self, topic: &str) -> Outcome<usize> {
        let open = self
            .open_transactions
            .get(topic.to_owned(), |topic| self.facts.open_transactions(topic));
        open.map(|open| *open)
    }

    /// The settings of a topic that exists.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn topic_configs(&self, topic: &str) -> Outcome<Rc<BTreeMap<String, String>>> {
        self.topic_configs
            .get(topic.to_owned(), |topic| self.facts.topic_configs(topic))
    }

    /// The settings of a broker that serves.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn broker_configs(&self, broker: i32) -> Outcome<Rc<BTreeMap<String, String>>> {
        self.broker_configs
            .get(broker, |broker| self.facts.broker_configs(*broker))
    }
}
