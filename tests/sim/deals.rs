//! What is known of transactions: each counts as a whole or not at all, and who has been followed ends none.

use super::history::History;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is known. Cloning shares it.
#[derive(Clone)]
pub struct Deals {
    known: Arc<Mutex<Known>>,
    history: History,
}

#[derive(Default)]
struct Known {
    /// By name, which the values of its records begin with.
    deals: BTreeMap<String, Deal>,
    /// The latest epoch in which somebody was initialised, by transactional id.
    epochs: BTreeMap<String, i16>,
    committed: usize,
}

/// One transaction.
#[derive(Default)]
struct Deal {
    state: State,
    /// Acknowledged records, by partition in their order.
    values: BTreeMap<i32, Vec<String>>,
    /// The offset that was acknowledged in it: group and offset.
    offset: Option<(String, i64)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nobody has asked to commit it: it must never count.
    #[default]
    Open,
    /// Somebody has: it may count, or not.
    Asked,
    /// Somebody was told that it is committed.
    Committed,
}

/// The name of the transaction that a record is of.
fn name_of(value: &str) -> &str {
    value.split('/').next().unwrap_or_default()
}

impl Deals {
    pub fn new(history: &History) -> Self {
        Deals {
            known: Arc::default(),
            history: history.clone(),
        }
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut Deal)) {
        change(self.known.lock().deals.entry(name.to_owned()).or_default());
    }

    /// Records were acknowledged.
    pub fn wrote(&self, name: &str, partition: i32, values: Vec<String>) {
        self.with(name, |deal| {
            deal.values.entry(partition).or_default().extend(values)
        });
    }

    /// A group's offset was.
    pub fn wrote_offset(&self, name: &str, group: &str, offset: i64) {
        self.with(name, |deal| deal.offset = Some((group.to_owned(), offset)));
    }

    /// From now on it may count.
    pub fn asked(&self, name: &str) {
        self.with(name, |deal| deal.state = State::Asked);
    }

    /// It counts.
    pub fn committed(&self, name: &str) {
        self.with(name, |deal| deal.state = State::Committed);
        self.known.lock().committed += 1;
    }

    /// How many were committed.
    pub fn committed_deals(&self) -> usize {
        self.known.lock().committed
    }

    /// Somebody has the transactional id, in that epoch.
    pub fn initialised(&self, id: &str, epoch: i16) {
        let mut known = self.known.lock();
        let latest = known.epochs.entry(id.to_owned()).or_insert(epoch);
        *latest = epoch.max(*latest);
    }

    /// Whether somebody else has it since: who has that epoch does nothing more.
    pub fn is_followed(&self, id: &str, epoch: i16) -> bool {
        self.known
            .lock()
            .epochs
            .get(id)
            .is_some_and(|latest| *latest > epoch)
    }

    /// Somebody who reads what is committed was given a record.
    pub fn read(&self, value: &str) {
        let known = self.known.lock();
        let deal = known.deals.get(name_of(value));
        if deal.is_none_or(|deal| deal.state == State::Open) {
            self.history.broken(format_args!(
                "{value} was read, whose transaction nobody asked to commit"
            ));
        }
    }

    /// What can be read on a node in the end, by partition: all or nothing of each.
    pub fn check_end(&self, node: i32, visible: &BTreeMap<i32, Vec<String>>) {
        let mut by_deal: BTreeMap<&str, BTreeMap<i32, Vec<String>>> = BTreeMap::new();
        for (partition, values) in visible {
            for value in values {
                let deal = by_deal.entry(name_of(value)).or_default();
                deal.entry(*partition).or_default().push(value.clone());
            }
        }
        let known = self.known.lock();
        let nothing = BTreeMap::new();
        for (name, deal) in &known.deals {
            let found = by_deal.remove(name.as_str()).unwrap_or_default();
            let holds = match deal.state {
                State::Open => found == nothing,
                State::Asked => found == nothing || found == deal.values,
                State::Committed => found == deal.values,
            };
            if !holds {
                let how = match deal.state {
                    State::Open => "aborted",
                    State::Asked => "perhaps committed",
                    State::Committed => "committed",
                };
                self.history.broken(format_args!(
                    "transaction {name} was {how} with {:?}, and in the end node {node} shows {found:?}",
                    deal.values
                ));
            }
        }
        if let Some((name, found)) = by_deal.into_iter().next() {
            self.history.broken(format_args!(
                "node {node} shows {found:?} of {name}, which never came to be"
            ));
        }
    }

    /// The offsets that groups must have in the end: those of the last transactions that count, by what can be read.
    pub fn offsets(&self, visible: &BTreeMap<i32, Vec<String>>) -> BTreeMap<String, i64> {
        let counts: BTreeSet<&str> = visible.values().flatten().map(|value| name_of(value)).collect();
        let known = self.known.lock();
        let mut offsets: BTreeMap<String, i64> = BTreeMap::new();
        for (name, deal) in &known.deals {
            if let Some((group, offset)) = &deal.offset {
                let last = offsets.entry(group.clone()).or_insert(-1);
                if counts.contains(name.as_str()) {
                    *last = (*last).max(*offset);
                }
            }
        }
        offsets
    }
}
