//! `velo lesson start LESSON --at STEP`: what the steps before would have left, made without the learner.

use super::{Desk, play};
use crate::course::check;
use crate::course::dress::Dress;
use crate::course::facts::ClusterFacts;
use crate::course::model::{Lesson, Step};
use crate::course::program::{Ended, Programs};
use crate::course::progress::{self, Progress, State};
use crate::course::python;
use crate::course::stage::Stage;
use crate::failure::{Failure, Outcome};
use crate::nearest::nearest;
use crate::ui::Interrupt;
use std::collections::BTreeSet;

/// Where the learner jumps to, and on what.
pub(super) struct Jump<'a> {
    pub(super) lesson: &'a Lesson,
    pub(super) facts: &'a dyn ClusterFacts,
    pub(super) dress: &'a Dress,
    /// What the lesson's programs are told.
    pub(super) environment: &'a [(String, String)],
    pub(super) own_brokers: bool,
}

/// Makes what the steps before `to` would have left, and notes that they were left out. The programs of theirs that go on are
/// handed back.
pub(super) fn make(desk: &Desk<'_>, jump: &Jump<'_>, to: &str) -> Outcome<Programs> {
    let lesson = jump.lesson;
    let Some(at) = lesson.steps.iter().position(|step| step.id == to) else {
        let said = [("step", to), ("lesson", &lesson.id)];
        let failure = Failure::usage(desk.words.fill("error.no-such-step", &said));
        let near = nearest(to, lesson.steps.iter().map(|step| step.id.as_str()));
        let near = near.unwrap_or_else(|| lesson.steps.first().map_or("", |step| &step.id));
        return Err(failure.hint(format!("velo lesson start {} --at {near}", lesson.id)));
    };
    let interrupt = Interrupt::watch()?;
    let interrupted = || interrupt.pressed();
    let folder = std::env::current_dir()
        .map_err(|error| Failure::request("cannot tell which folder this is").because(error))?;
    let python = lesson
        .wants_python()
        .then(|| python::find(&desk.words))
        .transpose()?;
    let programs = Programs::new(play::own_executable()?, folder, jump.environment.to_vec());
    let mut stage = Stage {
        facts: jump.facts,
        dress: jump.dress.clone(),
        programs: programs.with_python(python),
        interrupted: &interrupted,
        words: &desk.words,
        began: BTreeSet::new(),
        own_brokers: jump.own_brokers,
    };
    for step in lesson.steps.iter().take(at) {
        solve(desk, step, &mut stage)?;
    }
    note(desk, lesson, at)?;
    Ok(stage.programs)
}

/// Solves a step that is not solved yet.
fn solve(desk: &Desk<'_>, step: &Step, stage: &mut Stage<'_>) -> Outcome {
    let checks = stage.checks(step);
    if checks.is_empty() || check::passed(&check::all(&stage.look(), &checks)?) {
        return Ok(());
    }
    let said = [("step", step.id.as_str())];
    desk.context.ui.say(desk.words.fill("runner.making", &said));
    let failed = || Failure::request(desk.words.fill("play.failed", &said));
    stage.set_up(step)?;
    stage.begin(step)?;
    let mut last = String::new();
    for act in &step.acts {
        let ended = stage.act(act, &mut |line| last = line.text)?;
        if ended != Ended::Code(0) {
            return Err(failed().because(last));
        }
    }
    let findings = stage.wait(&checks, &mut |_| ())?;
    match findings.iter().find(|finding| !finding.passed) {
        Some(finding) => Err(failed().because(finding.line(&desk.words).trim())),
        None => Ok(()),
    }
}

fn note(desk: &Desk<'_>, lesson: &Lesson, at: usize) -> Outcome {
    let mut progress = Progress::load(&desk.file())?;
    let mine = progress.lesson(&lesson.id);
    for step in lesson.steps.iter().take(at) {
        mine.set(step, State::Skipped, &progress::now());
    }
    mine.at = lesson.steps.get(at).map(|step| step.id.clone());
    progress.save(&desk.file())
}
