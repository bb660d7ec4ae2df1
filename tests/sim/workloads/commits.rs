//! A group of one that commits a rising offset and looks what is kept.

use super::{PARTITIONS, SAFE};
use crate::sim::client::{Client, code_name, text, topic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest};

/// What became of a request.
enum Outcome {
    Done,
    Refused,
    InDoubt,
}

/// Commits and looks until it is told to end.
pub async fn run(mut client: Client) {
    let none = vec![-1; usize::try_from(PARTITIONS).unwrap()];
    let (mut groups, mut tried) = (0, none.clone());
    while client.goes_on() {
        client.rest(20, 200).await;
        let group = format!("{}-{groups}", client.name);
        let Some(coordinator) = client.coordinator(&group).await else {
            continue;
        };
        for _ in 0..5 {
            let partition = client.dice.number(0..=PARTITIONS - 1);
            let latest = &mut tried[usize::try_from(partition).unwrap()];
            let outcome = match client.dice.number(0..=2) {
                0 => look(&mut client, coordinator, &group, partition, *latest).await,
                _ => {
                    *latest += 1;
                    commit(&mut client, coordinator, &group, partition, *latest).await
                }
            };
            match outcome {
                Outcome::Done => {}
                Outcome::Refused => break,
                Outcome::InDoubt => {
                    // A commit may be on its way for long, and count after later ones: another group begins.
                    client.ledger.in_doubt(&group);
                    (groups, tried) = (groups + 1, none.clone());
                    break;
                }
            }
            client.rest(5, 60).await;
        }
    }
}

async fn commit(client: &mut Client, coordinator: i32, group: &str, partition: i32, offset: i64) -> Outcome {
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
        return Outcome::InDoubt;
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
    match code {
        0 => Outcome::Done,
        // It may be written, and not known to be on the replicas.
        _ => Outcome::InDoubt,
    }
}

async fn look(client: &mut Client, coordinator: i32, group: &str, partition: i32, tried: i64) -> Outcome {
    let kept = kept(client, coordinator, group, partition).await;
    let Some(kept) = kept else {
        return Outcome::Refused;
    };
    // Less than was committed may be what a coordinator knows that is cut off and not in charge any more.
    if kept > tried {
        client.history.broken(format_args!(
            "{group} tried {tried} of {SAFE}-{partition}, and node {coordinator} keeps {kept}"
        ));
    }
    Outcome::Done
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
