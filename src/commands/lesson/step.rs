//! `velo lesson next | check | hint | solution | back | skip`: the runner's words, one at a time, from any terminal.

use super::{Desk, Terminal, cluster, take};
use crate::course::dress::Dress;
use crate::course::live::Live;
use crate::course::model::{Lesson, Step};
use crate::course::progress::Progress;
use crate::course::runner::Runner;
use crate::course::talk::Talk;
use crate::course::watch::start_again;
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::{Admin, Connection};

/// Does something at the step where the learner is.
fn at_step(
    desk: &Desk<'_>,
    act: impl FnOnce(&Runner<'_>, usize, &Step, &mut dyn Talk) -> Outcome,
) -> Outcome {
    let progress = Progress::load(&desk.file())?;
    let current = progress.current.as_deref().ok_or_else(|| {
        Failure::request(desk.words.say("runner.no-lesson")).hint("velo lesson start hello-kafka")
    })?;
    let lesson: Lesson = desk.source.lesson(current, &desk.words)?;
    let mine = progress.lessons.get(&lesson.id).cloned().unwrap_or_default();
    let waiting = desk.context.ui.waiting_for("an answer from the cluster");
    // No other cluster that runs takes the place of the lesson's own brokers.
    let named = lesson.brokers.is_empty() || desk.context.address.is_named();
    let connection = if named && !cluster::is_on_its_own(desk, &lesson, &mine.bootstrap)? {
        cluster::of_lesson(desk, &mine.bootstrap)?
    } else {
        Connection::new(&mine.bootstrap, desk.context.command_config.as_deref())?
    };
    let own_data = cluster::own_data(desk, &lesson, connection.bootstrap())?;
    let again = start_again(connection.bootstrap(), own_data.as_deref());
    let admin = Admin::connect(&connection).map_err(|failure| away(desk, &connection, again, failure))?;
    let facts = Live::new(admin);
    let runner = Runner {
        lesson: &lesson,
        words: &desk.words,
        facts: &facts,
        dress: Dress::new(&lesson, &mine.prefix, &mine.bootstrap)
            .on_brokers(&mine.brokers)
            .shuffled_by(desk.seed),
        page: desk.page(),
        file: desk.file(),
        next: take::after(desk, &lesson.id)?,
        own_data,
        class: None,
    };
    let at = mine.position(&lesson);
    let mut talk = Terminal::open(desk.context.ui)?;
    match lesson.steps.get(at) {
        Some(step) => act(&runner, at, step, &mut talk),
        None => {
            drop(waiting);
            runner.run(&mut talk)
        }
    }
}

/// What is told instead of a failure to reach the lesson's cluster, when it can be started again from here.
fn away(desk: &Desk<'_>, connection: &Connection, again: Option<String>, failure: Failure) -> Failure {
    let bootstrap = connection.bootstrap();
    match again.filter(|_| failure.kind() == Kind::Unreachable) {
        Some(again) => Failure::unreachable(desk.words.fill("runner.no-answer", &[("bootstrap", bootstrap)]))
            .because(failure.in_a_line())
            .hint(again),
        None => failure,
    }
}

pub(super) fn check(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, _, step, talk| must_pass(desk, runner, step, talk))
}

pub(super) fn next(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, at, step, talk| {
        must_pass(desk, runner, step, talk)?;
        go(runner, at + 1, talk)
    })
}

pub(super) fn hint(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, _, step, talk| runner.help(step, talk))
}

pub(super) fn solution(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, _, step, talk| runner.solution(step, talk))
}

pub(super) fn skip(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, at, step, talk| {
        runner.skip(step, talk)?;
        go(runner, at + 1, talk)
    })
}

pub(super) fn back(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, at, _, talk| match at.checked_sub(1) {
        Some(before) => go(runner, before, talk),
        None => talk.say(desk.words.say("runner.at-the-start")),
    })
}

fn must_pass(desk: &Desk<'_>, runner: &Runner<'_>, step: &Step, talk: &mut dyn Talk) -> Outcome {
    if runner.check(step, talk)? {
        return Ok(());
    }
    Err(Failure::request(desk.words.say("runner.not-yet-command")).hint("velo lesson hint"))
}

/// Goes to a step and shows it.
fn go(runner: &Runner<'_>, to: usize, talk: &mut dyn Talk) -> Outcome {
    let Some(step) = runner.lesson.steps.get(to) else {
        runner.update(|progress| progress.at = None)?;
        return runner.end(talk);
    };
    runner.update(|progress| progress.at = Some(step.id.clone()))?;
    runner.show_step(to, talk)?;
    runner.say_elsewhere(step, talk)?;
    runner.begin(step, talk)?;
    runner.show_questions(step, talk)
}
