//! The two programs: a processor in a group, from its first words to its last.

use super::assemble::Assembler;
use super::sessions::Sessions;
use crate::exercises::stream::changelog::Changelog;
use crate::exercises::stream::instance::Instance;
use crate::exercises::stream::processing::{Place, Processing};
use crate::exercises::stream::worker::{Settings, Worker};
use crate::exercises::stream::{Guarantee, Processor};
use crate::exercises::velib::topics;
use crate::failure::Outcome;
use crate::kafka::group_consumer::Start;
use crate::kafka::{Admin, Connection, NewTopic};
use crate::ui::units::count;
use crate::ui::{Interrupt, Ui};
use serde::Serialize;
use std::time::Duration;

/// What a program reads and writes, and how.
#[derive(Debug)]
pub struct Plan {
    /// The topic of the packets.
    pub input: String,
    /// The topic to emit to.
    pub output: String,
    /// The group that shares the work.
    pub group: String,
    /// The store's name.
    pub store: &'static str,
    /// Who it is, and the folder of its state.
    pub instance: Instance,
    /// What may become of a record when something dies.
    pub guarantee: Guarantee,
    /// End once everything that was there at the start is dealt with.
    pub exit_at_end: bool,
    /// Die once so many records are emitted, before anything of their batch is noted.
    pub die_after: Option<u64>,
}

/// Puts trips together until Ctrl-C, or until the plan is done; then tells what was counted.
///
/// # Errors
/// When Ctrl-C was pressed, and when cluster or folder cannot be used.
pub fn assemble(
    connection: &Connection,
    plan: &Plan,
    assembler: Assembler,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    run(connection, plan, assembler, ui, interrupt, |assembler| {
        let tally = assembler.tally();
        let words = format!(
            "{} emitted, {} expired; passed over: {} undecodable, {} out of range, {} in disagreement, {} from the future, \
             {} repeated",
            count(tally.emitted, "trip"),
            tally.expired,
            tally.undecodable,
            tally.chunk_out_of_range,
            tally.chunks_disagree,
            tally.from_the_future,
            tally.repeated,
        );
        last_words(&tally, words, ui)
    })
}

/// Divides streams into sessions until Ctrl-C, or until the plan is done; then tells what was counted.
///
/// # Errors
/// As [`assemble`].
pub fn sessions(
    connection: &Connection,
    plan: &Plan,
    sessions: Sessions,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    run(connection, plan, sessions, ui, interrupt, |sessions| {
        let counted = sessions.counted();
        let words = format!(
            "{} emitted; passed over: {} late, {} undecodable, {} from the future",
            count(counted.emitted, "session"),
            counted.late,
            counted.undecodable,
            counted.from_the_future,
        );
        last_words(&counted, words, ui)
    })
}

fn last_words(counted: &impl Serialize, words: String, ui: Ui) -> Outcome {
    if ui.is_json() {
        return ui.json_line(&serde_json::json!(counted));
    }
    ui.say(words);
    Ok(())
}

fn run<P: Processor>(
    connection: &Connection,
    plan: &Plan,
    processor: P,
    ui: Ui,
    interrupt: Interrupt,
    last_words: impl FnOnce(&P) -> Outcome,
) -> Outcome {
    let joining = Worker::joining(ui, &plan.input, &plan.group);
    let admin = Admin::connect(connection)?;
    // Before any topic is made: a misspelt one is not to be taken for one of those.
    let input = admin.describe_topic(&plan.input)?;
    // What survives there of what was read is to survive of what is made of it.
    let output = NewTopic {
        replication_factor: input.replication_factor(),
        ..NewTopic::named(&plan.output)
    };
    topics::ensure(&admin, &output)?;
    let changelog = Changelog::open(&admin, &plan.group, plan.store, &input)?;
    drop(admin);
    let place = Place {
        connection,
        instance: &plan.instance,
        group: &plan.group,
        output: &plan.output,
        guarantee: plan.guarantee,
        die_after: plan.die_after,
    };
    let go_on = || interrupt.check();
    let mut processing = Processing::begin(place, changelog, processor, ui, &go_on)?;
    let settings = Settings {
        topic: plan.input.clone(),
        group: plan.group.clone(),
        start: Start::Earliest,
        instance: Some(format!("{}-{}", plan.group, plan.instance.id())),
        commit_every: Duration::ZERO,
        exit_at_end: plan.exit_at_end,
    };
    let mut worker = Worker::join(connection, &settings, ui, joining)?;
    let ended = worker.run(&mut processing, &go_on);
    // Who cannot tell the group that it leaves is missed there soon.
    let left = match interrupt.is_told_to_stop() {
        true => worker.pause(),
        false => worker.leave(),
    };
    if let Err(failure) = left
        && ended.is_ok()
    {
        ui.say(failure.in_a_line());
    }
    last_words(processing.processor()).and(ended)
}
