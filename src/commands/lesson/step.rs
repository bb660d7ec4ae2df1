//! `velo lesson next | check | hint | solution | back | skip`: the runner's words, one at a time, from any terminal.

use super::{Desk, Terminal};
use crate::course::dress::Dress;
use crate::course::live::Live;
use crate::course::model::{Lesson, Step};
use crate::course::progress::Progress;
use crate::course::render::Page;
use crate::course::runner::{Runner, Talk};
use crate::failure::{Failure, Outcome};
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
    let lesson: Lesson = desk.source.lesson(current)?;
    let mine = progress.lessons.get(&lesson.id).cloned().unwrap_or_default();
    let facts = Live::new(Admin::connect(&connection(desk, &mine.bootstrap)?)?);
    let runner = Runner {
        lesson: &lesson,
        words: &desk.words,
        facts: &facts,
        dress: Dress::new(&lesson, &mine.prefix, &mine.bootstrap),
        page: Page::of_stdout(),
        file: desk.file(),
    };
    let at = mine.position(&lesson);
    let mut talk = Terminal::open(desk.context.ui)?;
    match lesson.steps.get(at) {
        Some(step) => act(&runner, at, step, &mut talk),
        None => talk.say(desk.words.say("runner.at-the-end")),
    }
}

/// The cluster of this command line, else the one that the lesson was begun on.
fn connection(desk: &Desk<'_>, begun_on: &str) -> Outcome<Connection> {
    if desk.context.cluster_was_named || begun_on.is_empty() {
        return Ok(desk.context.connection.clone());
    }
    Connection::new(begun_on, desk.context.command_config.as_deref())
}

pub(super) fn check(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, _, step, talk| must_pass(desk, runner, step, talk))
}

pub(super) fn next(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, at, step, talk| {
        must_pass(desk, runner, step, talk)?;
        go(desk, runner, at + 1, talk)
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
        go(desk, runner, at + 1, talk)
    })
}

pub(super) fn back(desk: &Desk<'_>) -> Outcome {
    at_step(desk, |runner, at, _, talk| match at.checked_sub(1) {
        Some(before) => go(desk, runner, before, talk),
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
fn go(desk: &Desk<'_>, runner: &Runner<'_>, to: usize, talk: &mut dyn Talk) -> Outcome {
    let Some(step) = runner.lesson.steps.get(to) else {
        return talk.say(desk.words.say("runner.at-the-end"));
    };
    runner.update(|progress| progress.at = Some(step.id.clone()))?;
    for topic in crate::course::stage::set_up(runner.facts, &runner.dress, step)? {
        talk.say(&desk.words.fill("runner.set-up", &[("topic", &topic)]))?;
    }
    runner.show_step(to, talk)?;
    runner.show_questions(step, talk)
}
