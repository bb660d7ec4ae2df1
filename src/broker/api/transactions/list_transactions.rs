//! ListTransactions (key 66, KIP-664): the transactions coordinated by this broker, by state, producer, age (KIP-994) and
//! pattern (KIP-1152) if wanted.

use crate::broker::api::parts::Transactions;
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::transactions::{Filter, State};
use crate::clock::Clock;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_transactions_response::TransactionState;
use kafka_protocol::messages::{ListTransactionsRequest, ListTransactionsResponse, TransactionalId};
use regex::Regex;

/// From this version on transactions may be asked for by their age.
const BY_AGE: i16 = 1;

/// States that Kafka has a name for and no transaction is ever recorded in.
const PASSING: [&str; 2] = ["Dead", "PrepareEpochFence"];

/// Answers at once.
pub async fn handle(
    (transactions, clock): (Transactions, Clock),
    ctx: RequestContext,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    let by_state = !request.state_filters.is_empty();
    let mut filter = Filter {
        producers: request.producer_id_filters.iter().map(|id| id.0).collect(),
        longer_than_ms: ctx.since(BY_AGE, request.duration_filter, -1),
        ..Filter::default()
    };
    let mut response = ListTransactionsResponse::default();
    for name in request.state_filters {
        match State::ALL
            .into_iter()
            .find(|state| state.to_string() == name.as_str())
        {
            Some(state) => filter.states.push(state),
            None if PASSING.contains(&name.as_str()) => {}
            None => response.unknown_state_filters.push(name),
        }
    }
    // No transaction is in a state that does not exist.
    let nothing_passes = by_state && filter.states.is_empty();
    if let Some(pattern) = request
        .transactional_id_pattern
        .filter(|pattern| !pattern.is_empty())
    {
        match Regex::new(&format!("^(?:{pattern})$")) {
            Ok(pattern) => filter.pattern = Some(pattern),
            Err(_) => return response.with_error_code(ResponseError::InvalidRegularExpression.code()),
        }
    }
    match transactions.list(&filter, clock.now_ms()) {
        Ok(_) if nothing_passes => response,
        Ok(listed) => {
            let states = listed.into_iter().map(|listed| {
                TransactionState::default()
                    .with_transactional_id(TransactionalId(text(listed.id)))
                    .with_producer_id(listed.producer_id.into())
                    .with_transaction_state(text(listed.state.to_string()))
            });
            response.with_transaction_states(states.collect())
        }
        Err(error) => response.with_error_code(error.code()),
    }
}

impl Refuse for ListTransactionsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ListTransactionsResponse {
        ListTransactionsResponse::default().with_error_code(error.code())
    }
}
