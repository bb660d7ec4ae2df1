//! `velo lesson site`: a small shop whose mail service goes away, for the lesson about queues.

use super::{Desk, cluster};
use crate::course::facts::ClusterFacts;
use crate::course::live::Live;
use crate::course::progress::Progress;
use crate::course::site::{self, Way};
use crate::failure::{Failure, Outcome};
use crate::kafka::Admin;
use crate::kafka::record_producer::{Outgoing, RecordProducer};
use crate::ui::Grid;
use clap::Args;

/// The lesson that it belongs to.
const LESSON: &str = "queues";

/// Options of `velo lesson site`.
#[derive(Debug, Args)]
pub(super) struct SiteArgs {
    /// What the shop does with the mail of each order while the mail service is away
    #[arg(long, value_name = "WAY")]
    when_down: Way,
    /// Topic to which it writes how it went; made when it is missing
    #[arg(long, value_name = "TOPIC", default_value = "site-outcomes")]
    to: String,
}

pub(super) fn run(desk: &Desk<'_>, args: &SiteArgs) -> Outcome {
    let outcome = site::run(args.when_down);
    write_down(desk, args, &outcome)?;
    desk.context.ui.show(&outcome, || {
        let mut grid = Grid::titled([
            desk.words.say("site.what").to_owned(),
            args.when_down.name().to_owned(),
        ]);
        for (key, number) in [
            ("site.orders", outcome.orders),
            ("site.failed", outcome.failed),
            ("site.lost", outcome.lost),
            ("site.longest-wait", outcome.longest_wait),
            ("site.latest-mail", outcome.latest_mail),
        ] {
            grid.row([desk.words.say(key).to_owned(), number.to_string()]);
        }
        grid
    })
}

/// Writes how it went as a record of the topic, with the way as its key.
fn write_down(desk: &Desk<'_>, args: &SiteArgs, outcome: &site::Outcome) -> Outcome {
    let progress = Progress::load(&desk.file())?;
    let mine = progress.lessons.get(LESSON).cloned().unwrap_or_default();
    let connection = cluster::of_lesson(desk, &mine.bootstrap)?;
    let admin = Admin::connect(&connection).map_err(|failure| desk.context.advise(failure))?;
    let facts = Live::new(admin);
    if !facts.cluster()?.topics.contains_key(&args.to) {
        facts.create_topic(&args.to, 1, None)?;
    }
    let value = serde_json::to_vec(outcome)
        .map_err(|error| Failure::request("cannot write down how it went").because(error))?;
    let producer = RecordProducer::connect(&connection)?;
    producer.send(Outgoing {
        topic: &args.to,
        key: Some(args.when_down.name().as_bytes()),
        value: Some(&value),
        headers: &[],
    })?;
    producer.flush()
}
