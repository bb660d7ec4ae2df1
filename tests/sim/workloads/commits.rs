//! A group of one that commits a rising offset and looks what is kept.

use super::{PARTITIONS, SAFE};
use crate::sim::client::{Client, code_name, text, topic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest};

/// Commits and looks until it is told to end.
pub async fn run(mut client: Client) {
    let group = client.name.clone();
    let mut tried = vec![-1; usize::try_from(PARTITIONS).unwrap()];
    while client.goes_on() {
        client.rest(20, 200).await;
        let Some(coordinator) = client.coordinator(&group).await else {
            continue;
        };
        for _ in 0..5 {
            let partition = client.dice.number(0..=PARTITIONS - 1);
            let tried = &mut tried[usize::try_from(partition).unwrap()];
            let went_well = match client.dice.number(0..=2) {
                0 => look(&mut client, coordinator, &group, partition, *tried).await,
                _ => {
                    *tried += 1;
                    commit(&mut client, coordinator, &group, partition, *tried).await
                }
            };
            if !went_well {
                break;
            }
            client.rest(5, 60).await;
        }
    }
}

async fn commit(client: &mut Client, coordinator: i32, group: &str, partition: i32, offset: i64) -> bool {
    let data = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1)
        .with_committed_metadata(Some(text("")));
    let data = OffsetCommitRequestTopic::default()
        .with_name(topic(SAFE))
        .with_partitions(vec![data]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![data]);
    let Some(answer) = client.ask(coordinator, &request, 7).await else {
        return false;
    };
    let code = answer.topics[0].partitions[0].error_code;
    if code == 0 {
        client.ledger.committed(group, partition, offset);
        client.history.note(format_args!(
            "{group} committed {offset} of {SAFE}-{partition} at {coordinator}"
        ));
    } else {
        client.history.note(format_args!(
            "{group} could not commit at {coordinator}: {}",
            code_name(code)
        ));
    }
    code == 0
}

async fn look(client: &mut Client, coordinator: i32, group: &str, partition: i32, tried: i64) -> bool {
    let kept = kept(client, coordinator, group, partition).await;
    let Some(kept) = kept else {
        return false;
    };
    let least = client.ledger.offset(group, partition).unwrap_or(-1);
    if kept < least || kept > tried {
        client.history.broken(format_args!(
            "{group} committed {least} of {SAFE}-{partition}, tried {tried}, and node {coordinator} keeps {kept}"
        ));
    }
    true
}

/// The offset that is kept for a group; `None` when the coordinator does not say.
pub async fn kept(client: &mut Client, coordinator: i32, group: &str, partition: i32) -> Option<i64> {
    let wanted = OffsetFetchRequestTopic::default()
        .with_name(topic(SAFE))
        .with_partition_indexes(vec![partition]);
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_topics(Some(vec![wanted]));
    let answer = client.ask(coordinator, &request, 7).await?;
    if answer.error_code != 0 {
        return None;
    }
    let found = answer.topics.first()?.partitions.first()?;
    (found.error_code == 0).then_some(found.committed_offset)
}
