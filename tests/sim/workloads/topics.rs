//! Somebody who makes topics, gives them settings and partitions, and deletes them; and has leaders elected.

use super::{LOOSE, SAFE};
use crate::sim::client::{Client, code_name, text, topic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, ElectLeadersRequest,
    IncrementalAlterConfigsRequest,
};

/// How long the controller may take, in ms.
const TIMEOUT_MS: i32 = 2_000;
/// The topics that come and go.
const NAMES: [&str; 3] = ["one", "two", "three"];

/// Makes the topic until it is there.
pub async fn make(client: &mut Client, name: &str, partitions: i32, settings: &[(&str, &str)]) {
    loop {
        let code = create(client, name, partitions, settings).await;
        if code == Some(0) || code == Some(ResponseError::TopicAlreadyExists.code()) {
            return;
        }
        client.rest(50, 200).await;
    }
}

/// Changes things until it is told to end.
pub async fn run(mut client: Client) {
    let mut names = NAMES.map(|name| (name, 0));
    while client.goes_on() {
        client.rest(100, 900).await;
        let which = usize::try_from(client.dice.number(0..=2)).unwrap();
        let (base, count) = names[which];
        let name = format!("{base}-{count}");
        match client.dice.number(0..=9) {
            // A request without a clear answer may be carried out at any time later: the name is not used again.
            0..=3 if !come(&mut client, &name).await => names[which].1 += 1,
            4..=6 if !go(&mut client, &name).await => names[which].1 += 1,
            0..=6 => {}
            7 => grow(&mut client, &name).await,
            8 => alter(&mut client).await,
            _ => elect(&mut client).await,
        }
    }
}

/// Makes a topic; whether it is clear what became of that.
async fn come(client: &mut Client, name: &str) -> bool {
    client.ledger.topic(name, None);
    let code = create(client, name, 2, &[]).await;
    told(client, "make", name, code);
    if code == Some(0) {
        client.ledger.topic(name, Some(true));
    }
    is_clear(code, ResponseError::TopicAlreadyExists)
}

/// Deletes a topic; whether it is clear what became of that.
async fn go(client: &mut Client, name: &str) -> bool {
    client.ledger.topic(name, None);
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![topic(name)])
        .with_timeout_ms(TIMEOUT_MS);
    let answer = client.ask_any(&request, 5).await;
    let code = answer.map(|answer| answer.responses[0].error_code);
    told(client, "delete", name, code);
    if code == Some(0) {
        client.ledger.topic(name, Some(false));
    }
    is_clear(code, ResponseError::UnknownTopicOrPartition)
}

fn is_clear(code: Option<i16>, refused: ResponseError) -> bool {
    code == Some(0) || code == Some(refused.code())
}

async fn create(client: &mut Client, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Option<i16> {
    let settings = settings.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    });
    let wanted = CreatableTopic::default()
        .with_name(topic(name))
        .with_num_partitions(partitions)
        .with_replication_factor(3)
        .with_configs(settings.collect());
    let request = CreateTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(TIMEOUT_MS);
    let answer = client.ask_any(&request, 6).await?;
    Some(answer.topics[0].error_code)
}

async fn grow(client: &mut Client, name: &str) {
    let wanted = CreatePartitionsTopic::default()
        .with_name(topic(name))
        .with_count(client.dice.number(3..=5))
        .with_assignments(None);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(TIMEOUT_MS);
    let answer = client.ask_any(&request, 3).await;
    let code = answer.map(|answer| answer.results[0].error_code);
    told(client, "add partitions to", name, code);
}

/// Whether the loose topic may be led by who was not in sync.
async fn alter(client: &mut Client) {
    let unclean = client.one_of(&["true", "false"]);
    let setting = AlterableConfig::default()
        .with_name(text("unclean.leader.election.enable"))
        .with_config_operation(0)
        .with_value(Some(text(unclean)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text(LOOSE))
        .with_configs(vec![setting]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer = client.ask_any(&request, 1).await;
    let code = answer.map(|answer| answer.responses[0].error_code);
    told(
        client,
        &format!("set unclean elections {unclean} of"),
        LOOSE,
        code,
    );
}

/// Preferred leaders of all partitions.
async fn elect(client: &mut Client) {
    let request = ElectLeadersRequest::default()
        .with_election_type(0)
        .with_topic_partitions(None)
        .with_timeout_ms(TIMEOUT_MS);
    let answer = client.ask_any(&request, 2).await;
    let code = answer.map(|answer| answer.error_code);
    told(client, "elect the preferred leaders of", SAFE, code);
}

fn told(client: &Client, what: &str, name: &str, code: Option<i16>) {
    let outcome = code.map_or("no answer".to_owned(), code_name);
    client
        .history
        .note(format_args!("somebody wants to {what} {name}: {outcome}"));
}
