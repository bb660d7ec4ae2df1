//! What was written where, and what was not.

use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::{ErrorCode, KafkaError};
use crate::kafka::producer::{Producer, Written};
use crate::kafka::{Admin, Connection};
use crate::ui::OutputFormat;
use crate::ui::units::{count, counted};
use serde::Serialize;

/// How many lost records are named.
pub const NAMED: usize = 3;

#[derive(Serialize)]
struct Summary<'a> {
    topic: &'a str,
    records: u64,
    partitions: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    partition: usize,
    records: u64,
    first_offset: Option<i64>,
    last_offset: Option<i64>,
}

/// Says it: as talk on stderr, or as data on stdout when `--output json` or `plain` asks for it.
///
/// # Errors
/// When stdout cannot be written.
pub fn show(context: &Context, topic: &str, producer: &Producer) -> Outcome {
    let tally = producer.tally();
    let places: Vec<(usize, Written)> = tally
        .partitions
        .iter()
        .enumerate()
        .filter_map(|(partition, written)| Some((partition, (*written)?)))
        .collect();
    if context.ui.format != OutputFormat::Table {
        let summary = Summary {
            topic,
            records: tally.written,
            partitions: places
                .iter()
                .map(|(partition, written)| place(*partition, *written))
                .collect(),
        };
        return context.ui.show(&summary, || grid(&summary));
    }
    context.ui.say(match tally.written {
        0 => format!("nothing written to {topic}"),
        written => format!("{} written to {topic}", count(written, "record")),
    });
    for (partition, written) in places {
        let records = count(written.records, "record");
        let offsets = match written.offsets {
            None => "offsets unknown (acks=0)".to_owned(),
            Some((low, high)) if low == high => format!("offset {low}"),
            Some((low, high)) => format!("offsets {low} to {high}"),
        };
        context
            .ui
            .say(format!("  partition {partition}: {records}, {offsets}"));
    }
    Ok(())
}

fn place(partition: usize, written: Written) -> Place {
    Place {
        partition,
        records: written.records,
        first_offset: written.offsets.map(|(low, _)| low),
        last_offset: written.offsets.map(|(_, high)| high),
    }
}

fn grid(summary: &Summary<'_>) -> crate::ui::Grid {
    use crate::ui::table::{number, text};
    let mut grid = crate::ui::Grid::new([
        text("TOPIC"),
        number("PARTITION"),
        number("RECORDS"),
        number("FIRST"),
        number("LAST"),
    ]);
    let offset = |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
    for place in &summary.partitions {
        grid.row([
            summary.topic.to_owned(),
            place.partition.to_string(),
            place.records.to_string(),
            offset(place.first_offset),
            offset(place.last_offset),
        ]);
    }
    grid
}

/// Fails if any record was not written, naming the first lines and why.
///
/// # Errors
/// As said.
pub fn verdict(
    connection: &Connection,
    producer: &Producer,
    topic: &str,
    refused: &[(usize, KafkaError)],
    refused_count: u64,
) -> Outcome {
    let tally = producer.tally();
    let lost = tally.lost + refused_count;
    if lost == 0 {
        return Ok(());
    }
    let mut named: Vec<(usize, &KafkaError)> = refused
        .iter()
        .map(|(line, error)| (*line, error))
        .chain(tally.first_lost.iter().map(|lost| (lost.tag, &lost.error)))
        .collect();
    named.sort_by_key(|(line, _)| *line);
    let first = named
        .first()
        .map(|(_, error)| (error.code(), error.protocol_code()));
    let mut why: Vec<String> = named
        .iter()
        .take(NAMED)
        .map(|(line, error)| format!("line {line}: {error}"))
        .collect();
    if lost > why.len() as u64 {
        why.push(format!("and {} more", lost - why.len() as u64));
    }
    let timed_out = matches!(first, Some((ErrorCode::MessageTimedOut, _)));
    let lack = if timed_out { lack(connection, topic) } else { None };
    let without_replicas = lack.is_some();
    why.extend(lack);
    let records = counted(lost, "record was", "records were");
    let failure = Failure::request(format!("{records} not written to {topic}")).because(why.join("; "));
    Err(match first {
        Some((ErrorCode::MessageSizeTooLarge, ..0)) => {
            failure.hint("raise or remove max.request.size in the --command-config file")
        }
        Some((ErrorCode::InvalidRecord, _)) if named.iter().any(|(_, error)| lacks_key(error)) => {
            failure.hint(format!("velo produce {topic} --key-separator :"))
        }
        Some((ErrorCode::MessageSizeTooLarge, _)) => {
            failure.hint(format!("velo config set topic {topic} max.message.bytes=10MiB"))
        }
        Some((ErrorCode::NotEnoughReplicas | ErrorCode::NotEnoughReplicasAfterAppend, _)) => {
            failure.hint(format!("velo topic describe {topic}"))
        }
        Some((ErrorCode::MessageTimedOut, _)) if without_replicas => {
            failure.hint(format!("velo topic describe {topic}"))
        }
        Some((ErrorCode::MessageTimedOut, _)) => failure.hint("velo doctor"),
        _ => failure,
    })
}

/// Why the topic takes no records, if that is the reason: there are too few replicas. `None` as well when nobody tells.
pub fn lack(connection: &Connection, topic: &str) -> Option<String> {
    let admin = Admin::connect(connection).ok()?;
    admin.lack_of_replicas(topic).ok()?
}

/// Whether the broker refused a record because its topic is compacted.
fn lacks_key(error: &KafkaError) -> bool {
    error
        .broker_words()
        .is_some_and(|words| words.contains("without key"))
}
