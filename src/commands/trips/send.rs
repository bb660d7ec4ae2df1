//! `velo trips send`: packets by hand.

use super::program::milliseconds;
use crate::clock::Clock;
use crate::commands::{Context, candidates};
use crate::exercises::trips::PACKETS_TOPIC;
use crate::exercises::trips::send::{Plan, send};
use crate::exercises::velib::topics;
use crate::failure::Outcome;
use crate::kafka::{Admin, NewTopic};
use crate::ui::units::count;
use crate::ui::when;
use clap::Args;
use serde_json::json;

/// Options of `velo trips send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The device's number
    #[arg(allow_negative_numbers = true)]
    device: i64,
    /// Chunks to send, in this order: 2/3 is the second of three
    #[arg(required = true, value_name = "CHUNK/CHUNKS", value_parser = part_of_trip)]
    chunks: Vec<(u32, u32)>,
    /// Of a trip that started so long ago [default: of the trip that the device sent last]
    #[arg(long, value_name = "DURATION", value_parser = milliseconds)]
    started: Option<i64>,
    /// Topic to write to; made with 4 partitions if it is not there
    #[arg(long, default_value = PACKETS_TOPIC, add = candidates::topics())]
    topic: String,
}

/// Runs it.
pub(super) fn run(args: SendArgs, context: &Context) -> Outcome {
    let ui = context.ui;
    let now_ms = Clock::system().now_ms();
    let topic = NewTopic {
        partitions: Some(4),
        ..NewTopic::named(&args.topic)
    };
    topics::ensure(&Admin::connect(&context.connection)?, &topic)?;
    let plan = Plan {
        topic: args.topic,
        device: args.device,
        chunks: args.chunks,
        started: args.started.map(|ago| now_ms.saturating_sub(ago)),
    };
    let trip = send(&context.connection, &plan)?;
    if ui.is_json() {
        return ui.json(&json!({ "trip": trip, "packets": plan.chunks.len() }));
    }
    ui.line(format!(
        "device {}, trip that started at {} ({}): {} sent",
        trip.device,
        when::local(trip.start),
        trip.start,
        count(plan.chunks.len(), "packet")
    ))
}

/// Reads `2/3`.
fn part_of_trip(text: &str) -> Result<(u32, u32), String> {
    let numbers = text
        .split_once('/')
        .and_then(|(chunk, chunks)| Some((chunk.parse().ok()?, chunks.parse().ok()?)));
    numbers.ok_or_else(|| "wants which chunk of how many, such as 2/3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::part_of_trip;

    #[test]
    fn a_chunk_is_a_number_of_another() {
        assert_eq!(part_of_trip("2/3"), Ok((2, 3)));
        // What no honest device sends can be sent by hand.
        assert_eq!(part_of_trip("0/4294967295"), Ok((0, u32::MAX)));
        for wrong in ["2", "2/", "-1/3", "2/3/4", "a/b", "1/4294967296"] {
            assert!(part_of_trip(wrong).is_err(), "{wrong}");
        }
    }
}
