//! `velo lesson reset`: the cluster as before the lesson, and its progress forgotten.

use super::{Desk, take};
use crate::course::dress::Dress;
use crate::course::live::Live;
use crate::course::progress::Progress;
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Connection};
use clap::Args;
use std::time::Duration;

/// Options of `velo lesson reset`.
#[derive(Debug, Args)]
pub(super) struct ResetArgs {
    /// Which lesson [default: the one you are in]
    lesson: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(desk: &Desk<'_>, args: &ResetArgs) -> Outcome {
    let lesson = take::choose(desk, args.lesson.as_deref())?;
    let mut progress = Progress::load(&desk.file())?;
    let Some(mine) = progress.lessons.get(&lesson.id).cloned() else {
        return done(desk, &lesson.id);
    };
    let dress = Dress::new(&lesson, &mine.prefix, &mine.bootstrap);
    if !args.yes {
        ask(
            desk,
            &lesson.id,
            &lesson
                .topics
                .iter()
                .map(|topic| dress.name(topic))
                .collect::<Vec<_>>(),
        )?;
    }
    let connection = Connection::new(&mine.bootstrap, desk.context.command_config.as_deref())?;
    // A cluster that is gone has taken the lesson's topics with it.
    match Admin::connect(&connection) {
        Ok(admin) => {
            let removed = mine
                .before
                .remove_made(&Live::new(admin), &lesson, &dress, Duration::ZERO)?;
            if !removed.is_empty() {
                let names = removed.join(", ");
                desk.context
                    .ui
                    .say(desk.words.fill("play.removed", &[("names", &names)]));
            }
        }
        Err(failure) => desk.context.ui.say(failure.to_string()),
    }
    progress.lessons.remove(&lesson.id);
    progress.save(&desk.file())?;
    done(desk, &lesson.id)
}

fn done(desk: &Desk<'_>, lesson: &str) -> Outcome {
    desk.context
        .ui
        .say(desk.words.fill("runner.reset-done", &[("lesson", lesson)]));
    Ok(())
}

fn ask(desk: &Desk<'_>, lesson: &str, names: &[String]) -> Outcome {
    let question = desk.words.fill(
        "runner.reset-ask",
        &[("names", &names.join(", ")), ("lesson", lesson)],
    );
    let command = format!("velo lesson reset {lesson} --yes");
    if desk.context.ui.confirm(&question, &command)? {
        Ok(())
    } else {
        Err(Failure::interrupted())
    }
}
