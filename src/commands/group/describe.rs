//! `velo group describe`

use crate::commands::{Context, candidates, select};
use crate::failure::Outcome;
use crate::kafka::admin::PartitionLag;
use crate::kafka::{Admin, Broker, GroupDescription};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use crate::ui::units::{count, counted};
use clap::Args;
use serde_json::{Value, json};

/// Options of `velo group describe`.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// Names of the groups; globs such as 'iabd-*' work
    #[arg(required = true, value_name = "GROUP", add = candidates::groups())]
    names: Vec<String>,
    /// Only partitions with records that the group has not read
    #[arg(long)]
    only_with_lag: bool,
}

struct Described {
    group: GroupDescription,
    lags: Vec<PartitionLag>,
    /// Over all partitions, those not shown too.
    total: i64,
    /// The partitions that have lost records which the group has not read; those not shown too.
    deleted: Vec<PartitionLag>,
}

/// Describes groups.
///
/// # Errors
/// When one is not there, or the cluster does not answer.
pub fn run(args: &DescribeArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    let names = if args.names.iter().any(|name| select::is_glob(name)) {
        select::groups(&admin, &args.names)?
    } else {
        args.names.clone()
    };
    let mut described = Vec::new();
    admin.ensure_coordinators()?;
    for name in names {
        let group = admin.describe_group(&name)?;
        let mut lags = admin.group_lag(&group)?;
        let total = lags.iter().filter_map(|lag| lag.lag).sum();
        let lost = |lag: &&PartitionLag| lag.deleted.is_some_and(|deleted| deleted > 0);
        let deleted = lags.iter().filter(lost).cloned().collect();
        if args.only_with_lag {
            lags.retain(|lag| lag.lag.is_some_and(|lag| lag > 0));
        }
        described.push(Described {
            group,
            lags,
            total,
            deleted,
        });
    }
    let value: Vec<Value> = described.iter().map(to_json).collect();
    context.ui.show_titled(&value, || {
        described
            .iter()
            .map(|one| (Some(title(one)), to_grid(one)))
            .collect()
    })?;
    if context.ui.format == OutputFormat::Table {
        for one in &described {
            explain(one, args, context);
            explain_deleted(one, context);
        }
    }
    Ok(())
}

fn explain(one: &Described, args: &DescribeArgs, context: &Context) {
    let name = &one.group.group_id;
    if one.group.members.is_empty() {
        context.ui.say(format!(
            "Group `{name}` has no active members; {} for it.",
            match one.total {
                0 => "no record waits".to_owned(),
                waiting => counted(waiting, "record waits", "records wait"),
            }
        ));
    }
    if one.lags.is_empty() && args.only_with_lag {
        context.ui.say(format!("Group `{name}` has read everything."));
    } else if one.lags.is_empty() {
        context
            .ui
            .say(format!("Group `{name}` has not committed any offset yet."));
    } else if one.lags.iter().any(|lag| lag.committed.is_none()) {
        context
            .ui
            .say("A dash under COMMITTED: the group has not committed there yet.");
    }
}

/// What no member will ever read, partition by partition.
fn explain_deleted(one: &Described, context: &Context) {
    for lag in &one.deleted {
        let words = match lag.deleted {
            Some(1) => "1 was deleted before it was read".to_owned(),
            deleted => format!(
                "{} were deleted before they were read",
                deleted.unwrap_or_default()
            ),
        };
        context.ui.say(format!(
            "{}: {words}; what is left begins at offset {}.",
            lag.partition,
            lag.start.unwrap_or_default()
        ));
    }
}

fn title(one: &Described) -> String {
    let group = &one.group;
    let mut parts = vec![
        group.state.kafka_name().to_owned(),
        count(group.members.len(), "member"),
        format!("total lag {}", one.total),
    ];
    if !group.assignor.is_empty() {
        parts.push(format!("assignor {}", group.assignor));
    }
    if let Some(coordinator) = &group.coordinator {
        parts.push(format!(
            "coordinator {} ({})",
            coordinator.id,
            coordinator.address()
        ));
    }
    format!("{}: {}", group.group_id, parts.join(", "))
}

fn to_json(one: &Described) -> Value {
    let partitions: Vec<Value> = one
        .lags
        .iter()
        .map(|lag| {
            json!({
                "topic": lag.partition.topic,
                "partition": lag.partition.partition,
                "committed": lag.committed,
                "start": lag.start,
                "end": lag.end,
                "lag": lag.lag,
                "deleted_unread": lag.deleted,
                "member_id": lag.member.as_ref().map(|member| &member.member_id),
                "client_id": lag.member.as_ref().map(|member| &member.client_id),
                "host": lag.member.as_ref().map(|member| &member.host),
            })
        })
        .collect();
    json!({
        "group": one.group.group_id,
        "state": one.group.state.kafka_name(),
        "type": one.group.group_type.kafka_name(),
        "assignor": one.group.assignor,
        "coordinator": one.group.coordinator.as_ref().map(broker_json),
        "members": one.group.members.len(),
        "total_lag": one.total,
        "partitions": partitions,
    })
}

fn broker_json(broker: &Broker) -> Value {
    json!({"id": broker.id, "host": broker.host, "port": broker.port})
}

fn to_grid(one: &Described) -> Grid {
    let mut grid = Grid::new([
        text("TOPIC"),
        number("PARTITION"),
        number("COMMITTED"),
        number("END"),
        number("LAG"),
        text("CLIENT"),
        text("HOST"),
        text("MEMBER"),
    ]);
    let offset = |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
    for lag in &one.lags {
        let of_member = |text: fn(&crate::kafka::MemberDescription) -> &String| {
            lag.member
                .as_ref()
                .map_or_else(|| "-".to_owned(), |member| text(member).clone())
        };
        grid.row([
            lag.partition.topic.clone(),
            lag.partition.partition.to_string(),
            offset(lag.committed),
            offset(lag.end),
            offset(lag.lag),
            of_member(|member| &member.client_id),
            of_member(|member| &member.host),
            of_member(|member| &member.member_id),
        ]);
    }
    grid
}
