//! `velo group members`

use crate::commands::{Context, candidates};
use crate::failure::Outcome;
use crate::kafka::{Admin, MemberDescription, TopicPartition};
use crate::ui::table::{Grid, number, text};
use clap::Args;
use serde_json::{Value, json};

/// Options of `velo group members`.
#[derive(Debug, Args)]
pub struct MembersArgs {
    /// Name of the group
    #[arg(add = candidates::groups())]
    group: String,
}

/// Shows a group's members.
///
/// # Errors
/// When it is not there, or the cluster does not answer.
pub fn run(args: &MembersArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    admin.ensure_coordinators()?;
    let group = admin.describe_group(&args.group)?;
    if group.members.is_empty() {
        context
            .ui
            .say(format!("Group `{}` has no active members.", args.group));
    }
    let value: Vec<Value> = group.members.iter().map(to_json).collect();
    context.ui.show(&value, || to_grid(&group.members))
}

fn to_json(member: &MemberDescription) -> Value {
    let partitions: Vec<Value> = member
        .assignment
        .iter()
        .map(|partition| json!({"topic": partition.topic, "partition": partition.partition}))
        .collect();
    json!({
        "member_id": member.member_id,
        "client_id": member.client_id,
        "instance_id": member.instance_id,
        "host": member.host,
        "partitions": partitions,
    })
}

fn to_grid(members: &[MemberDescription]) -> Grid {
    let mut grid = Grid::new([
        text("CLIENT"),
        text("HOST"),
        number("PARTITIONS"),
        text("ASSIGNED"),
        text("INSTANCE"),
        text("MEMBER"),
    ]);
    for member in members {
        grid.row([
            member.client_id.clone(),
            member.host.clone(),
            member.assignment.len().to_string(),
            assigned(&member.assignment),
            member.instance_id.clone().unwrap_or_else(|| "-".to_owned()),
            member.member_id.clone(),
        ]);
    }
    grid
}

/// `orders:0,2 trips:1`, a dash for nothing.
fn assigned(partitions: &[TopicPartition]) -> String {
    if partitions.is_empty() {
        return "-".to_owned();
    }
    let mut text = String::new();
    let mut topic = "";
    for partition in partitions {
        if partition.topic == topic {
            text.push_str(&format!(",{}", partition.partition));
        } else {
            topic = &partition.topic;
            let gap = if text.is_empty() { "" } else { " " };
            text.push_str(&format!("{gap}{topic}:{}", partition.partition));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_reads_topic_by_topic() {
        let partitions = [("orders", 0), ("orders", 2), ("trips", 1)];
        let partitions = partitions.map(|(topic, number)| TopicPartition::new(topic, number));
        assert_eq!(assigned(&partitions), "orders:0,2 trips:1");
        assert_eq!(assigned(&[]), "-");
    }
}
