//! Ends the transactions that have been decided: a marker goes into each partition of one (KIP-98), wherever it is led, and
//! only when all are in the coordinator notes that it is over.
//!
//! The decision is on every in-sync replica before the first marker is written, so whoever coordinates next comes to the same
//! end. What does not get through is tried again for as long as this broker is the coordinator.

mod here;
mod links;
mod marking;

pub use here::MarkerWriter;
pub use marking::{Marked, Marking};

use super::machine::Refused;
use super::node::Node;
use super::transactions::{Ending, TopicPartition};
use super::world::time::sleep;
use kafka_protocol::ResponseError;
use links::Order;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How long, at first and at most, one rests before a marker is tried again.
const REST: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A later coordinator ends this transaction.
struct Fenced;

/// Ends transactions, for ever.
pub async fn keep(node: Arc<Node>) {
    let Some(mut endings) = node.transactions.take_endings() else {
        return std::future::pending().await;
    };
    let (orders, mut ordered) = unbounded_channel::<(i32, Order)>();
    let mut links: BTreeMap<i32, UnboundedSender<Order>> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    let mut ids: HashMap<tokio::task::Id, String> = HashMap::new();
    loop {
        tokio::select! {
            biased;
            Some(id) = endings.recv() => {
                let task = tasks.spawn(end(Arc::clone(&node), id.clone(), orders.clone()));
                ids.insert(task.id(), id);
            }
            Some((broker, order)) = ordered.recv() => {
                let link = links.entry(broker).or_insert_with(|| {
                    let (link, taken) = unbounded_channel();
                    tasks.spawn(links::serve(Arc::clone(&node), broker, taken));
                    link
                });
                // Its task is gone by a mistake of ours: whoever ordered is told so, and orders again.
                if link.send(order).is_err() {
                    links.remove(&broker);
                }
            }
            Some(ended) = tasks.join_next_with_id() => match ended {
                Ok((task, ())) => {
                    ids.remove(&task);
                }
                Err(error) => {
                    tracing::error!(%error, "writing markers failed; starting again");
                    if let Some(id) = ids.remove(&error.id()) {
                        let again = end_later(Arc::clone(&node), id.clone(), orders.clone());
                        ids.insert(tasks.spawn(again).id(), id);
                    }
                }
            }
        }
    }
}

/// After a mistake of ours, in case it is made again.
async fn end_later(node: Arc<Node>, id: String, orders: UnboundedSender<(i32, Order)>) {
    sleep(REST.1).await;
    end(node, id, orders).await;
}

/// Brings one transaction to its end, unless that becomes another broker's business.
async fn end(node: Arc<Node>, id: String, orders: UnboundedSender<(i32, Order)>) {
    let Some(ending) = decided(&node, &id).await else {
        return;
    };
    let mut left: Vec<TopicPartition> = ending.decided().partitions.iter().cloned().collect();
    let mut rest = REST.0;
    let mut news = node.metadata.applied();
    loop {
        news.mark_unchanged();
        left = match mark(&node, &ending, left, &orders).await {
            Ok(left) => left,
            Err(Fenced) => {
                tracing::info!(id, "a later coordinator ends the transaction");
                return;
            }
        };
        if left.is_empty() {
            break complete(&ending).await;
        }
        if !ending.is_ours() {
            return;
        }
        tracing::debug!(id, ?left, "markers are missing; trying again");
        tokio::select! {
            biased;
            () = sleep(rest) => {}
            _ = news.changed() => {}
        }
        rest = (rest * 2).min(REST.1);
    }
}

/// The transaction, once every in-sync replica knows how it ends; `None` when there is nothing to do.
async fn decided(node: &Node, id: &str) -> Option<Ending> {
    loop {
        match node.transactions.ending(id).await {
            Ok(ending) => return ending,
            Err(Refused::Loading | Refused::Late) => sleep(REST.0).await,
            Err(_) => return None,
        }
    }
}

/// Notes that all markers are in. Where the log was given up or is read anew, whoever takes it up finds the transaction.
async fn complete(ending: &Ending) {
    while let Err(refused) = ending.complete().await {
        match refused {
            Refused::Log(_) if ending.is_ours() => {
                tracing::warn!(
                    id = ending.id(),
                    "the end of the transaction cannot be noted yet: {refused}"
                );
                sleep(REST.1).await;
            }
            _ => return,
        }
    }
}

/// Writes the marker into each of the partitions; answers those where it could not be written yet.
async fn mark(
    node: &Arc<Node>,
    ending: &Ending,
    partitions: Vec<TopicPartition>,
    orders: &UnboundedSender<(i32, Order)>,
) -> Result<Vec<TopicPartition>, Fenced> {
    let marking = Marking {
        producer: ending.decided().producer(),
        commits: ending.commits(),
        coordinator_epoch: ending.coordinator_epoch(),
    };
    let (mut by_leader, mut left) = by_leader(node, partitions);
    let here = by_leader.remove(&node.config.node_id).unwrap_or_default();
    let mut ordered = Vec::new();
    for (leader, partitions) in by_leader {
        let (answer, answered) = oneshot::channel();
        let order = Order {
            marking,
            partitions: partitions.clone(),
            answer,
        };
        // The other side lives as long as this task.
        let _ = orders.send((leader, order));
        ordered.push((partitions, answered));
    }
    let marked = node.markers.write(marking, &here).await;
    left.extend(unmarked(here, marked, marking)?);
    for (partitions, answered) in ordered {
        match answered.await {
            Ok(marked) => left.extend(unmarked(partitions, marked, marking)?),
            Err(_) => left.extend(partitions),
        }
    }
    Ok(left)
}

/// The partitions by their leaders, and those without one. What has been deleted needs no marker.
fn by_leader(
    node: &Node,
    partitions: Vec<TopicPartition>,
) -> (BTreeMap<i32, Vec<TopicPartition>>, Vec<TopicPartition>) {
    let image = node.metadata.load();
    let mut by_leader: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
    let mut without = Vec::new();
    for partition in partitions {
        match image.partition(&partition.0, partition.1) {
            Some(known) if known.leader >= 0 => by_leader.entry(known.leader).or_default().push(partition),
            Some(_) => without.push(partition),
            None => tracing::debug!(?partition, "is gone: it needs no marker"),
        }
    }
    (by_leader, without)
}

/// Those that are to be tried again.
fn unmarked(
    partitions: Vec<TopicPartition>,
    marked: Vec<Marked>,
    marking: Marking,
) -> Result<Vec<TopicPartition>, Fenced> {
    let mut left = Vec::new();
    for (partition, marked) in partitions.into_iter().zip(marked) {
        match marked {
            Ok(()) => {}
            Err(ResponseError::TransactionCoordinatorFenced) => return Err(Fenced),
            // Somebody with a later epoch has written there since, which only the end of this transaction lets anybody do.
            Err(ResponseError::InvalidProducerEpoch) => {
                tracing::warn!(
                    ?partition,
                    ?marking,
                    "the producer has a later epoch there: it is ended already"
                );
            }
            Err(error) => {
                tracing::debug!(?partition, ?marking, %error, "cannot be marked");
                left.push(partition);
            }
        }
    }
    Ok(left)
}
