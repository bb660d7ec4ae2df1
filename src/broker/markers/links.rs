//! Markers for partitions that other brokers lead: one connection to each, on which all that waits goes at once.

use super::marking::{Marked, Marking};
use crate::broker::node::Node;
use crate::broker::peers::Peers;
use crate::broker::transactions::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{TopicName, WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

/// Version of the requests sent.
const VERSION: i16 = 1;
/// Orders that go in one request.
const MOST: usize = 500;

/// A marker for partitions of one broker. Who is not answered tries again.
pub(super) struct Order {
    pub marking: Marking,
    pub partitions: Vec<TopicPartition>,
    pub answer: oneshot::Sender<Vec<Marked>>,
}

/// Sends a broker what is ordered for it, for ever.
pub(super) async fn serve(node: Arc<Node>, broker: i32, mut orders: UnboundedReceiver<Order>) {
    let peers = Peers::new("markers");
    let timeout = node.config.millis("request.timeout.ms");
    while let Some(first) = orders.recv().await {
        let mut batch = vec![first];
        while batch.len() < MOST
            && let Ok(more) = orders.try_recv()
        {
            batch.push(more);
        }
        let request = request(&batch);
        let connect = |purpose: &str| node.brokers.peer(broker, purpose);
        match peers.ask(connect, broker, &request, VERSION, timeout).await {
            Ok(response) => answer(batch, &response),
            Err(error) => tracing::debug!(broker, %error, "cannot write markers there"),
        }
    }
}

fn request(batch: &[Order]) -> WriteTxnMarkersRequest {
    let markers = batch.iter().map(|order| {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for (topic, index) in &order.partitions {
            topics.entry(topic).or_default().push(*index);
        }
        let topics = topics.into_iter().map(|(topic, indexes)| {
            WritableTxnMarkerTopic::default()
                .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
                .with_partition_indexes(indexes)
        });
        WritableTxnMarker::default()
            .with_producer_id(order.marking.producer.id.into())
            .with_producer_epoch(order.marking.producer.epoch)
            .with_transaction_result(order.marking.commits)
            .with_coordinator_epoch(order.marking.coordinator_epoch)
            .with_topics(topics.collect())
    });
    WriteTxnMarkersRequest::default().with_markers(markers.collect())
}

fn answer(batch: Vec<Order>, response: &WriteTxnMarkersResponse) {
    let mut codes: BTreeMap<(i64, &str, i32), i16> = BTreeMap::new();
    for marker in &response.markers {
        for topic in &marker.topics {
            for partition in &topic.partitions {
                let key = (
                    marker.producer_id.0,
                    topic.name.as_str(),
                    partition.partition_index,
                );
                codes.insert(key, partition.error_code);
            }
        }
    }
    for order in batch {
        let marked = order.partitions.iter().map(|(topic, index)| {
            let code = codes.get(&(order.marking.producer.id, topic.as_str(), *index));
            match code.map(|code| ResponseError::try_from_code(*code)) {
                Some(None) => Ok(()),
                Some(Some(error)) => Err(error),
                None => Err(ResponseError::UnknownServerError),
            }
        });
        // Whoever ordered may be gone with its lead.
        let _ = order.answer.send(marked.collect());
    }
}
