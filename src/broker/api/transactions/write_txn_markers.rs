//! WriteTxnMarkers (key 27): a transaction's coordinator, or an operator, ends it in partitions that this broker leads.

use crate::broker::api::{Refuse, RequestContext};
use crate::broker::machine::Producer;
use crate::broker::markers::{MarkerWriter, Marking};
use crate::broker::transactions::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::write_txn_markers_request::WritableTxnMarker;
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use tokio::task::JoinSet;

/// Answers when all markers are on every in-sync replica.
pub async fn handle(
    markers: MarkerWriter,
    _ctx: RequestContext,
    request: WriteTxnMarkersRequest,
) -> WriteTxnMarkersResponse {
    let mut results = Vec::with_capacity(request.markers.len());
    // Beside one another: each waits for the replicas.
    let mut writing = JoinSet::new();
    for (place, marker) in request.markers.into_iter().enumerate() {
        let markers = markers.clone();
        results.push(WritableTxnMarkerResult::default());
        writing.spawn(async move { (place, write(&markers, &marker).await) });
    }
    while let Some(written) = writing.join_next().await {
        match written {
            Ok((place, result)) => {
                if let Some(slot) = results.get_mut(place) {
                    *slot = result;
                }
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }
    WriteTxnMarkersResponse::default().with_markers(results)
}

async fn write(markers: &MarkerWriter, marker: &WritableTxnMarker) -> WritableTxnMarkerResult {
    let marking = Marking {
        producer: Producer {
            id: marker.producer_id.0,
            epoch: marker.producer_epoch,
        },
        commits: marker.transaction_result,
        coordinator_epoch: marker.coordinator_epoch,
    };
    let partitions: Vec<TopicPartition> = marker
        .topics
        .iter()
        .flat_map(|topic| {
            let name = topic.name.to_string();
            topic
                .partition_indexes
                .iter()
                .map(move |index| (name.clone(), *index))
        })
        .collect();
    let mut marked = markers.write(marking, &partitions).await.into_iter();
    let topics = marker.topics.iter().map(|topic| {
        let results = topic.partition_indexes.iter().map(|index| {
            let error = marked.next().and_then(Result::err);
            WritableTxnMarkerPartitionResult::default()
                .with_partition_index(*index)
                .with_error_code(error.map_or(0, |error| error.code()))
        });
        let results = results.collect();
        WritableTxnMarkerTopicResult::default()
            .with_name(topic.name.clone())
            .with_partitions(results)
    });
    let topics = topics.collect();
    WritableTxnMarkerResult::default()
        .with_producer_id(marker.producer_id)
        .with_topics(topics)
}

impl Refuse for WriteTxnMarkersRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> WriteTxnMarkersResponse {
        let markers = self.markers.iter().map(|marker| {
            let topics = marker.topics.iter().map(|topic| {
                let results = topic.partition_indexes.iter().map(|index| {
                    WritableTxnMarkerPartitionResult::default()
                        .with_partition_index(*index)
                        .with_error_code(error.code())
                });
                WritableTxnMarkerTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_partitions(results.collect())
            });
            WritableTxnMarkerResult::default()
                .with_producer_id(marker.producer_id)
                .with_topics(topics.collect())
        });
        WriteTxnMarkersResponse::default().with_markers(markers.collect())
    }
}
