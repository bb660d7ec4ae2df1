//! TxnOffsetCommit (key 28): offsets that count once the producer's transaction has been committed. Since version 5 it also
//! takes the place of AddOffsetsToTxn (KIP-890).

use crate::broker::api::parts::{Groups, Metadata, Replicas};
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::groups::{Commit, Committer, GroupCoordinator, OFFSETS_TOPIC};
use crate::broker::log::{Beginner, Leave};
use crate::broker::machine::Producer;
use crate::broker::metadata::MetadataImage;
use crate::broker::verification::{Place, Question, Verifier};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestTopic;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use std::sync::Arc;

/// From this version on the partition of the group is taken into the transaction here.
const TAKES_IN: i16 = 5;
/// From this version on a client knows `TRANSACTION_ABORTABLE`.
const ABORTABLE: i16 = 4;
/// From this version on a client waits out `COORDINATOR_LOAD_IN_PROGRESS`.
const WAITS_FOR_LOADING: i16 = 2;

/// Answers when the commits are on every in-sync replica.
pub async fn handle(
    (groups, metadata, replicas, verifier): (Groups, Metadata, Replicas, Arc<Verifier>),
    ctx: RequestContext,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let image = metadata.load_full();
    let mut commits = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        topics.push(check_topic(&groups, &image, topic, &mut commits));
    }
    let committing = Committing {
        groups,
        replicas,
        verifier,
    };
    if !commits.is_empty()
        && let Err(error) = committing.commit(&ctx, &request, commits).await
    {
        let code = told(&ctx, error).code();
        for topic in &mut topics {
            let not_refused = topic
                .partitions
                .iter_mut()
                .filter(|partition| partition.error_code == 0);
            not_refused.for_each(|partition| partition.error_code = code);
        }
    }
    TxnOffsetCommitResponse::default().with_topics(topics)
}

/// What an older client knows how to go on from.
fn told(ctx: &RequestContext, error: ResponseError) -> ResponseError {
    match error {
        // Waited out like this, without looking for another coordinator.
        ResponseError::NetworkException if ctx.api_version >= WAITS_FOR_LOADING => {
            ResponseError::CoordinatorLoadInProgress
        }
        ResponseError::NetworkException | ResponseError::CoordinatorLoadInProgress
            if ctx.api_version < WAITS_FOR_LOADING =>
        {
            ResponseError::CoordinatorNotAvailable
        }
        ResponseError::TransactionAbortable if ctx.api_version < ABORTABLE => ResponseError::InvalidTxnState,
        other => other,
    }
}

/// Gathers what can be committed; what cannot is answered already.
fn check_topic(
    groups: &GroupCoordinator,
    image: &MetadataImage,
    topic: &TxnOffsetCommitRequestTopic,
    commits: &mut Vec<Commit>,
) -> TxnOffsetCommitResponseTopic {
    let known = image.topics.get(topic.name.as_str());
    let partitions = topic.partitions.iter().map(|partition| {
        let index = partition.partition_index;
        let exists = image.partition(&topic.name, index).is_some();
        let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
        let code = match known {
            Some(known) if exists && groups.accepts_metadata(metadata) => {
                commits.push(Commit {
                    topic: topic.name.to_string(),
                    topic_id: known.id,
                    partition: index,
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: metadata.to_owned(),
                });
                0
            }
            Some(_) if exists => ResponseError::OffsetMetadataTooLarge.code(),
            _ => ResponseError::UnknownTopicOrPartition.code(),
        };
        TxnOffsetCommitResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(code)
    });
    TxnOffsetCommitResponseTopic::default()
        .with_name(topic.name.clone())
        .with_partitions(partitions.collect())
}

/// What a commit takes.
struct Committing {
    groups: Groups,
    replicas: Replicas,
    verifier: Arc<Verifier>,
}

impl Committing {
    async fn commit(
        &self,
        ctx: &RequestContext,
        request: &TxnOffsetCommitRequest,
        commits: Vec<Commit>,
    ) -> Result<(), ResponseError> {
        let producer = Producer {
            id: request.producer_id.0,
            epoch: request.producer_epoch,
        };
        let index = self.groups.partition_for(&request.group_id);
        let index = index.ok_or(ResponseError::CoordinatorNotAvailable)?;
        let partition = self.replicas.partition(OFFSETS_TOPIC, index);
        let partition = partition.ok_or(ResponseError::NotCoordinator)?;
        let place = Place {
            partition: Arc::clone(&partition),
            beginner: Beginner {
                producer_id: producer.id,
                epoch: producer.epoch,
                sequence: -1,
                bumps_epoch: ctx.api_version >= TAKES_IN,
            },
        };
        let question = match ctx.api_version {
            TAKES_IN.. => Question::TakeIn,
            _ => Question::AreIn,
        };
        let id = &request.transactional_id;
        let leaves = self.verifier.leaves(id, producer, &[place], question).await;
        let leave = leaves.into_iter().next().unwrap_or(Ok(Leave::Open))?;
        let from = Committer {
            group_id: &request.group_id,
            member_id: &request.member_id,
            instance_id: request.group_instance_id.as_deref(),
            generation: request.generation_id,
            retention_ms: -1,
            api_version: ctx.api_version,
        };
        let is_verified = || partition.log.lets_in(producer.id, producer.epoch, leave);
        self.groups
            .commit_in_transaction(from, producer, commits, is_verified)
            .await
    }
}

impl Refuse for TxnOffsetCommitRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> TxnOffsetCommitResponse {
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(error.code())
            });
            TxnOffsetCommitResponseTopic::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        TxnOffsetCommitResponse::default().with_topics(topics.collect())
    }
}
