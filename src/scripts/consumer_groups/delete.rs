//! `kafka-consumer-groups --delete` and `--delete-offsets`

use super::reset_plan::parse_topics;
use super::{descriptions, failed, late};
use crate::kafka::{Admin, Answer, ErrorCode, KafkaError, TopicPartition};
use crate::scripts::java_order::hash_map_order;
use crate::scripts::java_words::{java_exception, java_message};
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};

pub(super) fn groups(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let wanted = super::groups(admin, parsed)?;
    let mut answers = if wanted.is_empty() {
        Vec::new()
    } else {
        admin
            .delete_groups(&wanted)
            .map_err(failed("deleteConsumerGroups"))?
    };
    hash_map_order(&mut answers, |(group, _)| group);
    let deleted: Vec<String> = answers
        .iter()
        .filter(|(_, answer)| answer.is_ok())
        .map(|(group, _)| format!("'{group}'"))
        .collect();
    if deleted.len() == answers.len() {
        out(&format!(
            "Deletion of requested consumer groups ({}) was successful.",
            deleted.join(", ")
        ));
        return Ok(());
    }
    out("\nError: Deletion of some consumer groups failed:");
    for (group, answer) in &answers {
        if let Err(refusal) = answer {
            out(&format!(
                "* Group '{group}' could not be deleted due to: {}",
                java_exception(refusal)
            ));
        }
    }
    if !deleted.is_empty() {
        out(&format!(
            "\nThese consumer groups were deleted successfully: {}",
            deleted.join(", ")
        ));
    }
    Ok(())
}

pub(super) fn offsets(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let group = parsed.value("group").map_err(late)?.unwrap_or_default();
    let topics = parse_topics(admin, parsed.values("topic"))?;
    let deleted = if topics.partitions.is_empty() {
        exists(admin, group)?
    } else {
        admin.try_delete_group_offsets(group, &topics.partitions)
    };
    match overall(&deleted) {
        None => out(&format!(
            "Request succeeded for deleting offsets from group {group}."
        )),
        Some(refusal) => out(&format!("\nError: {}", headline(refusal))),
    }
    let mut rows: Vec<(TopicPartition, Option<String>)> = topics
        .unknown
        .iter()
        .map(|(topic, refusal)| (TopicPartition::new(topic, -1), Some(java_exception(refusal))))
        .collect();
    match &deleted {
        Ok(answers) => rows.extend(
            answers
                .iter()
                .map(|(partition, answer)| (partition.clone(), answer.as_ref().err().map(java_exception))),
        ),
        Err(refusal) => rows.extend(
            topics
                .partitions
                .iter()
                .map(|partition| (partition.clone(), Some(java_exception(refusal)))),
        ),
    }
    print_rows(rows);
    Ok(())
}

/// With nothing left to delete, only the group itself can be missing.
fn exists(admin: &Admin, group: &str) -> Result<Answer<Vec<(TopicPartition, Answer)>>, Ending> {
    let described = descriptions(admin, &[group.to_owned()])?;
    Ok(if described.iter().all(crate::kafka::GroupDescription::exists) {
        Ok(Vec::new())
    } else {
        Err(KafkaError::new(ErrorCode::GroupIdNotFound, ""))
    })
}

fn overall(deleted: &Answer<Vec<(TopicPartition, Answer)>>) -> Option<&KafkaError> {
    match deleted {
        Ok(answers) => answers.iter().find_map(|(_, answer)| answer.as_ref().err()),
        Err(refusal) => Some(refusal),
    }
}

fn headline(refusal: &KafkaError) -> String {
    use ErrorCode as Code;
    match refusal.code() {
        Code::InvalidGroupId
        | Code::GroupIdNotFound
        | Code::GroupAuthorizationFailed
        | Code::NonEmptyGroup => java_message(refusal),
        Code::GroupSubscribedToTopic | Code::TopicAuthorizationFailed | Code::UnknownTopicOrPartition => {
            "Encountered some partition-level error, see the follow-up details.".to_owned()
        }
        _ => format!("Encountered some unknown error: {}", java_message(refusal)),
    }
}

fn print_rows(mut rows: Vec<(TopicPartition, Option<String>)>) {
    rows.sort_by_key(|(partition, _)| format!("{}{}", partition.topic, partition.partition));
    let width = rows
        .iter()
        .map(|(partition, _)| partition.topic.len())
        .max()
        .unwrap_or(0)
        .max(15);
    out(&format!(
        "\n{:width$} {:10} {:15}",
        "TOPIC", "PARTITION", "STATUS"
    ));
    for (partition, refusal) in rows {
        let number = if partition.partition < 0 {
            "-".to_owned()
        } else {
            partition.partition.to_string()
        };
        let status = refusal.map_or_else(|| "Successful".to_owned(), |refusal| format!("Error: {refusal}"));
        out(&format!("{:width$} {number:10} {status:15}", partition.topic));
    }
}
