//! What is wrong with a lesson, as far as a cluster tells: the start fails every check, each wrong attempt fails where it
//! should, and the solution passes.

use super::check::{self, Check};
use super::model::{Act, Lesson, Step, Wrong};
use super::needs;
use super::program::{Ended, Line};
use super::question::Question;
use super::shown;
use super::stage::Stage;
use crate::failure::Outcome;
use crate::i18n::{Lang, Words};

/// Takes the lesson on a stage and says all that is wrong, a sentence each. Stops at the first step that its own solution
/// does not solve, since the next steps build on it. Tells `begins` of each step, which may take minutes.
///
/// # Errors
/// When the cluster does not answer, or the user interrupts.
pub fn lesson(lesson: &Lesson, stage: &mut Stage<'_>, begins: &dyn Fn(&Step)) -> Outcome<Vec<String>> {
    let mut wrong = Vec::new();
    for step in &lesson.steps {
        begins(step);
        let mut found = Vec::new();
        let missing = stage.settled(
            || needs::missing(lesson, step, &stage.look(), &stage.dress),
            Vec::is_empty,
        )?;
        for need in missing {
            found.push(format!(
                "it needs step `{}`, whose checks do not hold any more",
                need.step.id
            ));
        }
        stage.begin(step)?;
        start_fails(step, stage, &mut found)?;
        let early = stage.settled(
            || shown::mistakes(step, &stage.look(), &stage.dress),
            Vec::is_empty,
        )?;
        for early in early {
            found.push(format!(
                "what wrong attempt `{}` leaves is there before it",
                early.name
            ));
        }
        for attempt in &step.wrong {
            attempt_fails(step, attempt, stage, &mut found)?;
        }
        let solved = solution_passes(step, stage, &mut found)?;
        wrong.extend(
            found
                .into_iter()
                .map(|sentence| format!("step `{}`: {sentence}", step.id)),
        );
        if !solved {
            break;
        }
    }
    stage.programs.stop_all();
    Ok(wrong)
}

fn start_fails(step: &Step, stage: &Stage<'_>, wrong: &mut Vec<String>) -> Outcome {
    let checks = stage.checks(step);
    // A program of the step before may be seen in its group for a while.
    let findings = stage.settled(
        || check::all(&stage.look(), &checks),
        |findings| {
            let passes = findings.iter().filter(|finding| finding.passed);
            let mut checks = passes.map(|finding| &finding.check);
            !checks.any(|check| check.fact.is_of_members() && !check.by_itself)
        },
    )?;
    let all = check::passed(&findings);
    for finding in findings.iter().filter(|finding| finding.passed) {
        if all || !finding.check.by_itself {
            wrong.push(format!(
                "check `{}` passes before anything is done",
                finding.check.name
            ));
        }
    }
    Ok(())
}

fn attempt_fails(step: &Step, attempt: &Wrong, stage: &mut Stage<'_>, wrong: &mut Vec<String>) -> Outcome {
    let mut passes = attempt_passes(step, attempt, stage, wrong)?;
    let of_others = |check: &Check| check.name == attempt.fails && check.fact.since_the_start().is_some();
    if passes && step.checks.iter().any(of_others) {
        // Of a machine that is busy for longer than a group waits for its members, all are others afterwards.
        stage.begin(step)?;
        passes = attempt_passes(step, attempt, stage, wrong)?;
    }
    if passes {
        wrong.push(format!(
            "wrong attempt `{}` passes check `{}`",
            attempt.name, attempt.fails
        ));
    }
    for act in &attempt.undo {
        run(act, stage, wrong)?;
    }
    if !comes_true(attempt.undone.as_slice(), stage)? {
        wrong.push(format!("wrong attempt `{}` is never undone", attempt.name));
    }
    Ok(())
}

/// Waits for facts of a wrong attempt; whether all come true.
fn comes_true(wanted: &[Check], stage: &mut Stage<'_>) -> Outcome<bool> {
    if wanted.is_empty() {
        return Ok(true);
    }
    let wanted: Vec<Check> = wanted.iter().map(|check| stage.dress.check(check)).collect();
    Ok(check::passed(&stage.wait(&wanted, &mut |_| ())?))
}

/// Whether a mistake passes the check that it should fail.
fn attempt_passes(
    step: &Step,
    attempt: &Wrong,
    stage: &mut Stage<'_>,
    wrong: &mut Vec<String>,
) -> Outcome<bool> {
    for act in &attempt.acts {
        // A mistake may well be refused by the command itself.
        stage.act(act, &mut |_| ())?;
    }
    if !comes_true(attempt.until.as_slice(), stage)? {
        wrong.push(format!("wrong attempt `{}` never has its effect", attempt.name));
    }
    if !comes_true(&attempt.seen, stage)? {
        wrong.push(format!(
            "wrong attempt `{}` does not show its belief",
            attempt.name
        ));
    }
    let findings = check::all(&stage.look(), &stage.checks(step))?;
    Ok(findings
        .iter()
        .any(|finding| finding.check.name == attempt.fails && finding.passed))
}

fn solution_passes(step: &Step, stage: &mut Stage<'_>, wrong: &mut Vec<String>) -> Outcome<bool> {
    let words = Words::of(Lang::En);
    for act in &step.acts {
        if !run(act, stage, wrong)? {
            return Ok(false);
        }
    }
    let checks = stage.checks(step);
    let findings = stage.wait(&checks, &mut |_| ())?;
    for finding in findings.iter().filter(|finding| !finding.passed) {
        wrong.push(format!(
            "the solution does not pass: {}",
            finding.line(&words).trim()
        ));
    }
    if check::passed(&findings) {
        expectations(step, stage, wrong)?;
    }
    Ok(check::passed(&findings))
}

/// The numbers that are typed must be those of the cluster, where the solution was followed.
fn expectations(step: &Step, stage: &mut Stage<'_>, wrong: &mut Vec<String>) -> Outcome {
    let words = Words::of(Lang::En);
    let expected: Vec<Check> = step.questions.iter().filter_map(Question::expectation).collect();
    let expected: Vec<Check> = expected.iter().map(|check| stage.dress.check(check)).collect();
    let findings = stage.wait(&expected, &mut |_| ())?;
    for finding in findings.iter().filter(|finding| !finding.passed) {
        wrong.push(format!(
            "question `{}`: the cluster says something else: {}",
            finding.check.name,
            finding.line(&words).trim()
        ));
    }
    Ok(())
}

/// Acts one act out, which must succeed.
fn run(act: &Act, stage: &mut Stage<'_>, wrong: &mut Vec<String>) -> Outcome<bool> {
    let mut said: Vec<Line> = Vec::new();
    let ended = stage.act(act, &mut |line| said.push(line))?;
    if ended == Ended::Code(0) {
        return Ok(true);
    }
    let last = said
        .iter()
        .rfind(|line| line.terminal.is_empty())
        .map_or("", |line| line.text.as_str());
    wrong.push(format!(
        "`{}` fails: {last}",
        act.command().map_or("", String::as_str)
    ));
    Ok(false)
}
