//! `velo trips send`: a few packets by hand, of the trip that a device sent last or of another one.

use super::packet::{Chunk, Heard};
use super::state::Trip;
use crate::failure::{Failure, Outcome};
use crate::kafka::record_producer::Outgoing;
use crate::kafka::topic_reader::read_last;
use crate::kafka::{Connection, RecordProducer};

/// How many packets of each partition are looked through for the device's last trip.
const LOOK_BACK: i64 = 100_000;

/// How long a trip takes that is sent by hand, in ms.
const DRIVE_MS: i64 = 20 * 60_000;

/// What to send.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The topic of the packets.
    pub topic: String,
    /// Whose packets.
    pub device: i64,
    /// Which chunks, in this order, each of how many.
    pub chunks: Vec<(u32, u32)>,
    /// When the trip began, in ms since 1970-01-01 UTC; none for the one that the device sent last.
    pub started: Option<i64>,
}

/// Sends the packets, and tells of which trip they are.
///
/// # Errors
/// When the device's last trip is wanted and there is none, and when the cluster does not answer or refuses.
pub fn send(connection: &Connection, plan: &Plan) -> Outcome<Trip> {
    let trip = match plan.started {
        Some(start) => Trip {
            device: plan.device,
            start,
            end: start.saturating_add(DRIVE_MS),
        },
        None => last_of(connection, plan)?,
    };
    let producer = RecordProducer::connect(connection)?;
    let key = plan.device.to_string();
    for (chunk, chunks) in plan.chunks.iter().copied() {
        let heard = Heard {
            ts: trip.end,
            device: trip.device,
            trip: Some(Chunk {
                start: trip.start,
                end: trip.end,
                chunk,
                chunks,
            }),
        };
        let value = heard.write(None);
        producer.send(Outgoing {
            topic: &plan.topic,
            key: Some(key.as_bytes()),
            value: Some(&value),
            headers: &[],
        })?;
    }
    producer.flush()?;
    Ok(trip)
}

/// The trip of the newest packet that the device has sent of any.
fn last_of(connection: &Connection, plan: &Plan) -> Outcome<Trip> {
    let mut last: Option<((Option<i64>, i64), Trip)> = None;
    read_last(connection, &plan.topic, LOOK_BACK, |record| {
        let Ok(Heard {
            device,
            trip: Some(part),
            ..
        }) = Heard::read(record.value.as_deref())
        else {
            return;
        };
        let when = (record.timestamp, record.offset);
        if device == plan.device && last.is_none_or(|(before, _)| before <= when) {
            let (start, end) = (part.start, part.end);
            last = Some((when, Trip { device, start, end }));
        }
    })?;
    last.map(|(_, trip)| trip).ok_or_else(|| {
        let device = plan.device;
        Failure::request(format!("device {device} has no trip to go on with"))
            .because(format!("no packet of a trip of its is in `{}`", plan.topic))
            .hint(format!("velo trips send {device} 1/3 --started 1h"))
    })
}
