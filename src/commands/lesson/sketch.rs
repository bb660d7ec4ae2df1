//! `velo lesson sketch`: trips put together with a mistake that a store in memory forgives, for the lesson about trips.

use super::Desk;
use crate::commands::candidates;
use crate::exercises::trips::sketch::{self, Keeping};
use crate::exercises::velib::topics;
use crate::failure::{Failure, Outcome};
use crate::kafka::record_producer::Outgoing;
use crate::kafka::{Admin, NewTopic, RecordProducer};
use clap::Args;

/// Options of `velo lesson sketch`.
#[derive(Debug, Args)]
pub(super) struct SketchArgs {
    /// Topic of the packets
    #[arg(add = candidates::topics())]
    packets: String,
    /// Topic of the trips; made when it is missing
    #[arg(long, value_name = "TOPIC")]
    to: String,
    /// What the store keeps
    #[arg(long, value_name = "WHAT")]
    store: Keeping,
}

pub(super) fn run(desk: &Desk<'_>, args: &SketchArgs) -> Outcome {
    let connection = &desk.context.connection;
    let admin = Admin::connect(connection).map_err(|failure| desk.context.advise(failure))?;
    admin.describe_topic(&args.packets)?;
    topics::ensure(&admin, &NewTopic::named(&args.to))?;
    let (packets, trips) = sketch::run(connection, &args.packets, args.store)?;
    let producer = RecordProducer::connect(connection)?;
    for trip in &trips {
        let value = serde_json::to_vec(trip)
            .map_err(|error| Failure::request("cannot write a trip as JSON").because(error))?;
        producer.send(Outgoing {
            topic: &args.to,
            key: Some(trip.device.to_string().as_bytes()),
            value: Some(&value),
            headers: &[],
        })?;
    }
    producer.flush()?;
    let said = [
        ("packets", packets.to_string()),
        ("trips", trips.len().to_string()),
    ];
    let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
    desk.context.ui.say(desk.words.fill("sketch.done", &said));
    Ok(())
}
