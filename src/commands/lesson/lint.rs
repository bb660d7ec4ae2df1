//! `velo lesson lint`: what an author has to mend.

use super::{Desk, play};
use crate::cli::Cli;
use crate::course::load::Source;
use crate::course::model::{Lesson, Step};
use crate::course::{dress, lint, lint_live, python};
use crate::failure::{Failure, Outcome};
use crate::kafka::Admin;
use crate::scripts::table;
use clap::Args;
use std::path::PathBuf;

/// Options of `velo lesson lint`.
#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// A folder of lessons, or of one lesson [default: the lessons in the program]
    dir: Option<PathBuf>,
    /// Only texts and structure: no cluster
    #[arg(long)]
    texts: bool,
    /// Begin the names of topics and groups with this
    #[arg(long, default_value = "", conflicts_with = "texts")]
    prefix: String,
}

pub(super) fn run(desk: &Desk<'_>, args: LintArgs) -> Outcome {
    dress::valid_prefix(&args.prefix, &desk.words)?;
    let source = args.dir.map_or_else(|| desk.source.clone(), Source::Folder);
    let mut wrong = lint::words();
    for lesson in source.lessons()? {
        let mut found = lint::lesson(&lesson, &untypeable);
        say(desk, "lint.well", &lesson, &found);
        if found.is_empty() && !args.texts {
            if let Some(why) = unplayable(desk, &lesson)? {
                let said = [("lesson", lesson.id.as_str()), ("why", &why)];
                desk.context.ui.say(desk.words.fill("lint.not-played", &said));
                continue;
            }
            live(desk, &lesson, &args.prefix, &mut found)?;
            say(desk, "lint.well-live", &lesson, &found);
        }
        wrong.extend(
            found
                .into_iter()
                .map(|sentence| format!("{}: {sentence}", lesson.id)),
        );
    }
    for sentence in &wrong {
        desk.context.ui.line(sentence)?;
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let said = desk
        .words
        .fill("error.things-wrong", &[("n", &wrong.len().to_string())]);
    Err(Failure::request(said).hint(desk.words.say("error.lint-hint")))
}

fn say(desk: &Desk<'_>, key: &str, lesson: &Lesson, found: &[String]) {
    if found.is_empty() {
        desk.context
            .ui
            .say(desk.words.fill(key, &[("lesson", &lesson.id)]));
    }
}

/// Why the lesson cannot be played here, if so: there is no Python, or the cluster that was named has too few brokers.
fn unplayable(desk: &Desk<'_>, lesson: &Lesson) -> Outcome<Option<String>> {
    if lesson.wants_python()
        && let Err(missing) = python::find(&desk.words)
    {
        return Ok(Some(missing.what().to_owned()));
    }
    if lesson.brokers.is_empty() || !desk.context.address.is_named() {
        return Ok(None);
    }
    let there = Admin::connect(&desk.context.connection)?
        .metadata()?
        .brokers
        .len();
    let lack = play::enough(desk, lesson, there).err();
    Ok(lack.map(|lack| lack.what().to_owned()))
}

fn live(desk: &Desk<'_>, lesson: &Lesson, prefix: &str, found: &mut Vec<String>) -> Outcome {
    let ui = desk.context.ui;
    let say = |text: &str| {
        ui.say(text);
        Ok(())
    };
    play::on_a_cluster(desk, lesson, prefix, &say, &mut |mut stage| {
        let begins = |step: &Step| {
            let said = [("lesson", lesson.id.as_str()), ("step", &step.id)];
            ui.say(desk.words.fill("lint.step", &said));
        };
        found.extend(lint_live::lesson(lesson, &mut stage, &begins)?);
        Ok(())
    })
}

/// Why a command line is not one of this program's, if so.
fn untypeable(words: &[String]) -> Option<String> {
    // What Kafka's own scripts take is for them to say.
    if words.get(1).is_some_and(|name| table::find(name).is_some()) {
        return None;
    }
    let error = Cli::typed(words).err()?;
    error.to_string().lines().next().map(str::to_owned)
}
