//! `kafka-consumer-groups --reset-offsets`: show, export or execute the plan.

use super::{descriptions, error, groups, reset_plan, trouble};
use crate::kafka::{Admin, GroupState, TopicPartition};
use crate::scripts::java_order::hash_map_order;
use crate::scripts::java_words::java_message;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};

/// Where a group goes.
struct Plan {
    group: String,
    offsets: Vec<(TopicPartition, i64)>,
}

pub(super) fn run(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let mut described = descriptions(admin, &groups(admin, parsed)?)?;
    hash_map_order(&mut described, |group| &group.group_id);
    let mut plans = Vec::new();
    for group in described {
        let offsets = if matches!(group.state, GroupState::Empty | GroupState::Dead) {
            reset(admin, parsed, &group.group_id)?
        } else {
            error(format!(
                "Assignments can only be reset if the group '{}' is inactive, but the current state is {}.",
                group.group_id,
                group.state.kafka_name()
            ))
            .print();
            Vec::new()
        };
        plans.push(Plan {
            group: group.group_id,
            offsets,
        });
    }
    if parsed.has("export") {
        export(&plans, parsed.values("group").len() == 1);
    } else {
        show(&plans);
    }
    Ok(())
}

fn reset(admin: &Admin, parsed: &Parsed, group: &str) -> Result<Vec<(TopicPartition, i64)>, Ending> {
    let offsets = reset_plan::offsets(admin, parsed, group)?;
    if parsed.has("execute") && !offsets.is_empty() {
        let answers = admin
            .try_alter_group_offsets(group, &offsets)
            .map_err(|refusal| trouble(java_message(&refusal)))?;
        for (_, answer) in answers {
            answer.map_err(|refusal| trouble(java_message(&refusal)))?;
        }
    }
    Ok(offsets)
}

fn show(plans: &[Plan]) {
    let rows = || {
        plans.iter().flat_map(|plan| {
            plan.offsets
                .iter()
                .map(move |(partition, offset)| (plan, partition, offset))
        })
    };
    let group_width = plans
        .iter()
        .map(|plan| plan.group.len())
        .max()
        .unwrap_or(0)
        .max(15);
    let topic_width = rows()
        .map(|(_, partition, _)| partition.topic.len())
        .max()
        .unwrap_or(0)
        .max(15);
    let row = |group: &str, topic: &str, partition: &str, offset: &str| {
        out(&format!(
            "{group:group_width$} {topic:topic_width$} {partition:10} {offset}"
        ));
    };
    out("");
    if !plans.is_empty() {
        row("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
    }
    for (plan, partition, offset) in rows() {
        row(
            &plan.group,
            &partition.topic,
            &partition.partition.to_string(),
            &offset.to_string(),
        );
    }
}

/// As CSV, with the group in front unless there is one only.
fn export(plans: &[Plan], one_group: bool) {
    for plan in plans {
        for (partition, offset) in &plan.offsets {
            let line = format!("{},{},{offset}", csv_cell(&partition.topic), partition.partition);
            if one_group {
                out(&line);
            } else {
                out(&format!("{},{line}", csv_cell(&plan.group)));
            }
        }
    }
    out("");
}

/// Quotes what needs it, and as Kafka's tool does also whatever is longer than 24 characters.
fn csv_cell(text: &str) -> String {
    if text.chars().count() > 24 || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
