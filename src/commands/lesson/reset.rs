//! `velo lesson reset`: the cluster as before the lesson, and its progress forgotten.

use super::{Desk, take};
use crate::commands::candidates;
use crate::course::dress::Dress;
use crate::course::facts::ClusterFacts;
use crate::course::live::Live;
use crate::course::model::Lesson;
use crate::course::progress::Progress;
use crate::course::snapshot::{Patience, Removal, Snapshot};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Connection};
use clap::Args;

/// Options of `velo lesson reset`.
#[derive(Debug, Args)]
pub(super) struct ResetArgs {
    /// Which lesson [default: the one you are in]
    #[arg(add = candidates::lessons())]
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
    let waiting = desk
        .context
        .ui
        .waiting_for(format!("an answer from {}", connection.bootstrap()));
    let connected = Admin::connect(&connection);
    drop(waiting);
    match connected {
        Ok(admin) => {
            let again = format!("velo lesson reset {} --yes", lesson.id);
            let removed = tidy(desk, &mine.before, &Live::new(admin), &lesson, &dress, &again)?;
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

/// Removes what the lesson made and says which things; groups that are still in use are waited for, with a word. `again` is
/// what to type when they are in use even then.
pub(super) fn tidy(
    desk: &Desk<'_>,
    before: &Snapshot,
    facts: &dyn ClusterFacts,
    lesson: &Lesson,
    dress: &Dress,
    again: &str,
) -> Outcome<Vec<String>> {
    let mut patience = Patience {
        bound: Patience::SESSION,
        say: &mut |groups, bound| {
            let said = [
                ("names", groups.join(", ")),
                ("seconds", bound.as_secs().to_string()),
            ];
            let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
            desk.context.ui.say(desk.words.fill("play.in-use", &said));
        },
    };
    match before.remove_made(facts, lesson, dress, &mut patience)? {
        Removal::Done(removed) => Ok(removed),
        Removal::InUse(groups) => {
            let names = groups.join(", ");
            let failure = Failure::request(desk.words.fill("play.still-in-use", &[("names", &names)]))
                .because(desk.words.say("play.still-in-use-why"));
            let members = groups.iter().map(|group| format!("velo group members {group}"));
            Err(members.fold(failure, Failure::hint).hint(again))
        }
    }
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
    if desk
        .context
        .ui
        .confirm_in(desk.words.lang(), &question, &command)?
    {
        Ok(())
    } else {
        Err(Failure::interrupted())
    }
}
