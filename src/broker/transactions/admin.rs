//! DescribeTransactions and ListTransactions (KIP-664).

use super::coordinator::TransactionCoordinator;
use super::machine::Transactions;
use super::state::{State, Transaction};
use crate::broker::machine::Refused;
use kafka_protocol::ResponseError;
use regex::Regex;

/// Which transactions are asked for; what is empty lets all pass.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<State>,
    /// Of one of these producer ids.
    pub producers: Vec<i64>,
    /// Begun longer ago than this, in ms; negative lets all pass.
    pub longer_than_ms: i64,
    /// With an id that this matches as a whole.
    pub pattern: Option<Regex>,
}

/// A transaction in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its transactional id.
    pub id: String,
    /// Its producer id.
    pub producer_id: i64,
    /// Where it is.
    pub state: State,
}

impl TransactionCoordinator {
    /// The transaction of that id.
    ///
    /// # Errors
    /// `TRANSACTIONAL_ID_NOT_FOUND`, and as [`TransactionCoordinator::ask`].
    pub fn describe(&self, id: &str) -> Result<Transaction, ResponseError> {
        let found = self.look(id, |transactions| transactions.get(id).cloned())?;
        found.ok_or(ResponseError::TransactionalIdNotFound)
    }

    /// The transactions that are coordinated here and that `filter` lets pass.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while some are not known yet. Partitions whose log cannot be read are left out.
    pub fn list(&self, filter: &Filter, now_ms: i64) -> Result<Vec<Listed>, ResponseError> {
        let mut all = Vec::new();
        for shard in self.shards() {
            match shard.look(|transactions, _| listed(transactions, filter, now_ms)) {
                Ok(listed) => all.extend(listed),
                Err(Refused::Loading) => return Err(ResponseError::CoordinatorLoadInProgress),
                Err(_) => {}
            }
        }
        Ok(all)
    }
}

fn listed(transactions: &Transactions, filter: &Filter, now_ms: i64) -> Vec<Listed> {
    let passing = transactions
        .all()
        .filter(|(id, known)| filter.lets_pass(id, known, now_ms));
    passing
        .map(|(id, known)| Listed {
            id: id.clone(),
            producer_id: known.producer_id,
            state: known.state,
        })
        .collect()
}

impl Filter {
    fn lets_pass(&self, id: &str, known: &Transaction, now_ms: i64) -> bool {
        let in_state = self.states.is_empty() || self.states.contains(&known.state);
        let by_producer = self.producers.is_empty() || self.producers.contains(&known.producer_id);
        let age_ms = now_ms.saturating_sub(known.started_ms);
        let old_enough = self.longer_than_ms < 0 || age_ms > self.longer_than_ms;
        let named = self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(id));
        in_state && by_producer && old_enough && named
    }
}
