//! `velo transaction describe`

use super::failure;
use crate::clock::Clock;
use crate::commands::Context;
use crate::failure::Outcome;
use crate::kafka::{TopicPartition, TransactionDescription, Wire};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use crate::ui::units::duration;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Options of `velo transaction describe`.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// Transactional ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

struct Described {
    id: String,
    found: TransactionDescription,
    /// Where it begins in each partition, as far as their leaders say so.
    begins: BTreeMap<(String, i32), i64>,
    /// For how long it has been open, in ms.
    open_ms: Option<i64>,
}

/// Describes transactions.
///
/// # Errors
/// When one is not there, or the cluster does not answer.
pub fn run(args: &DescribeArgs, context: &Context) -> Outcome {
    let mut wire = Wire::connect(&context.connection)?;
    let mut described = Vec::new();
    for id in &args.ids {
        let found = wire.describe_transaction(id);
        let found =
            found.map_err(|error| failure(format!("cannot describe the transaction of `{id}`"), error))?;
        let now = Clock::system().now_ms();
        let open = found.started.filter(|_| found.state == "Ongoing");
        described.push(Described {
            begins: begins(&mut wire, &found),
            open_ms: open.map(|started| now.saturating_sub(started)),
            id: id.clone(),
            found,
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
        for one in described.iter().filter(|one| one.open_ms.is_some()) {
            context.ui.say(format!(
                "Readers of committed records wait at where it begins. To end it against its producer's will: velo \
                 transaction abort {}",
                crate::commands::select::typed(std::slice::from_ref(&one.id))
            ));
        }
    }
    Ok(())
}

/// Where the transaction begins in its partitions. A leader that does not answer takes nothing away from the rest.
fn begins(wire: &mut Wire, found: &TransactionDescription) -> BTreeMap<(String, i32), i64> {
    let mut topics: Vec<&str> = found.partitions.iter().map(|at| at.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let mut begins = BTreeMap::new();
    if topics.is_empty() {
        return begins;
    }
    let places = wire.partition_places(Some(&topics)).unwrap_or_default();
    for place in places
        .iter()
        .filter(|place| found.partitions.contains(&place.partition))
    {
        let Some(leader) = place.leader else {
            continue;
        };
        let producers = wire
            .describe_producers(&place.partition, leader)
            .unwrap_or_default();
        let own = producers.iter().find(|producer| producer.id == found.producer_id);
        if let Some(start) = own.and_then(|producer| producer.transaction_start) {
            begins.insert(key(&place.partition), start);
        }
    }
    begins
}

fn key(partition: &TopicPartition) -> (String, i32) {
    (partition.topic.clone(), partition.partition)
}

fn title(one: &Described) -> String {
    let found = &one.found;
    let mut parts = vec![
        found.state.clone(),
        format!("producer {} in epoch {}", found.producer_id, found.producer_epoch),
        format!("coordinator {}", found.coordinator),
        format!("timeout {}", duration(found.timeout_ms.into())),
    ];
    if let Some(open_ms) = one.open_ms {
        parts.push(format!("open for {}", duration(open_ms)));
    }
    format!("{}: {}", one.id, parts.join(", "))
}

fn to_json(one: &Described) -> Value {
    let found = &one.found;
    let partitions: Vec<Value> = found
        .partitions
        .iter()
        .map(|partition| {
            json!({
                "topic": partition.topic,
                "partition": partition.partition,
                "begins": one.begins.get(&key(partition)),
            })
        })
        .collect();
    json!({
        "transactional_id": one.id,
        "state": found.state,
        "producer_id": found.producer_id,
        "producer_epoch": found.producer_epoch,
        "coordinator": found.coordinator,
        "timeout_ms": found.timeout_ms,
        "started_ms": found.started,
        "open_ms": one.open_ms,
        "partitions": partitions,
    })
}

fn to_grid(one: &Described) -> Grid {
    let mut grid = Grid::new([text("TOPIC"), number("PARTITION"), number("BEGINS")]);
    for partition in &one.found.partitions {
        let begins = one.begins.get(&key(partition));
        grid.row([
            partition.topic.clone(),
            partition.partition.to_string(),
            begins.map_or_else(|| "-".to_owned(), ToString::to_string),
        ]);
    }
    grid
}
