//! A group of one that commits a rising offset and looks what is kept.

use super::{PARTITIONS, SAFE};
use crate::sim::client::{Client, code_name, text, topic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest};

/// Who commits.
pub struct Committer<'a> {
    pub group: &'a str,
    /// Empty without membership.
    pub member: &'a str,
    /// -1 without membership.
    pub generation: i32,
}

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
                    commit_alone(&mut client, coordinator, &group, partition, *latest).await
                }
            };
            match outcome {
                Outcome::Done => {}
                Outcome::Refused => break,
                Outcome::InDoubt => {
                    // A commit may be on its way for long, and count after later ones: another group begins.
                    (groups, tried) = (groups + 1, none.clone());
                    break;
                }
            }
            client.rest(5, 60).await;
        }
    }
}

/// Commits an offset; the code that it is answered with.
pub async fn commit(
    client: &mut Client,
    coordinator: i32,
    from: &Committer<'_>,
    (name, partition): (&str, i32),
    offset: i64,
) -> Option<i16> {
    let data = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1)
        .with_committed_metadata(Some(text("")));
    let data = OffsetCommitRequestTopic::default()
        .with_name(topic(name))
        .with_partitions(vec![data]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(from.group)))
        .with_member_id(text(from.member))
        .with_generation_id_or_member_epoch(from.generation)
        .with_topics(vec![data]);
    let answer = client.ask(coordinator, &request, 7).await?;
    Some(answer.topics[0].partitions[0].error_code)
}

async fn commit_alone(
    client: &mut Client,
    coordinator: i32,
    group: &str,
    partition: i32,
    offset: i64,
) -> Outcome {
    let alone = Committer {
        group,
        member: "",
        generation: -1,
    };
    match commit(client, coordinator, &alone, (SAFE, partition), offset).await {
        Some(0) => {
            client.ledger.committed(group, partition, offset);
            client.history.note(format_args!(
                "{group} committed {offset} of {SAFE}-{partition} at {coordinator}"
            ));
            Outcome::Done
        }
        Some(code) => {
            client.history.note(format_args!(
                "{group} could not commit at {coordinator}: {}",
                code_name(code)
            ));
            // It may be written, and not known to be on the replicas.
            Outcome::InDoubt
        }
        None => Outcome::InDoubt,
    }
}

async fn look(client: &mut Client, coordinator: i32, group: &str, partition: i32, tried: i64) -> Outcome {
    let kept = kept(client, coordinator, group, (SAFE, partition)).await;
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

/// The offset that is kept for a group, -1 for none; `None` when the coordinator does not say, also while a transaction is
/// about to change it.
pub async fn kept(
    client: &mut Client,
    coordinator: i32,
    group: &str,
    (name, partition): (&str, i32),
) -> Option<i64> {
    let wanted = OffsetFetchRequestTopic::default()
        .with_name(topic(name))
        .with_partition_indexes(vec![partition]);
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_require_stable(true)
        .with_topics(Some(vec![wanted]));
    let answer = client.ask(coordinator, &request, 7).await?;
    if answer.error_code != 0 {
        return None;
    }
    let found = answer.topics.first()?.partitions.first()?;
    (found.error_code == 0).then_some(found.committed_offset)
}
