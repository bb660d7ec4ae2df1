//! What a step builds on: things that earlier steps make, some of which a learner may have skipped or undone.

use super::check::{self, Check, Finding};
use super::dress::Dress;
use super::look::Look;
use super::model::{Lesson, Step};
use crate::failure::Outcome;

/// An earlier step, and what of it is not there.
#[derive(Debug)]
pub struct Missing<'a> {
    /// The step that makes it.
    pub step: &'a Step,
    /// What was found instead.
    pub findings: Vec<Finding>,
}

/// A step's needs that do not hold now, by the earlier step that makes them.
///
/// # Errors
/// When the cluster does not answer.
pub fn missing<'a>(
    lesson: &'a Lesson,
    step: &Step,
    look: &Look<'_>,
    dress: &Dress,
) -> Outcome<Vec<Missing<'a>>> {
    let mut missing: Vec<Missing<'a>> = Vec::new();
    for need in &step.needs {
        let Some((step, checks)) = find(lesson, need) else {
            continue;
        };
        let checks: Vec<Check> = checks.into_iter().map(|check| dress.check(check)).collect();
        let mut findings = check::all(look, &checks)?;
        findings.retain(|finding| !finding.passed);
        if findings.is_empty() {
            continue;
        }
        match missing.iter_mut().find(|known| known.step.id == step.id) {
            Some(known) => known.findings.extend(findings),
            None => missing.push(Missing { step, findings }),
        }
    }
    Ok(missing)
}

/// The step that a need names, and the checks it is about: `step` for all of them, `step/check` for one.
pub fn find<'a>(lesson: &'a Lesson, need: &str) -> Option<(&'a Step, Vec<&'a Check>)> {
    let (id, one) = match need.split_once('/') {
        Some((id, check)) => (id, Some(check)),
        None => (need, None),
    };
    let step = lesson.step(id)?;
    let checks: Vec<&Check> = step
        .checks
        .iter()
        .filter(|check| one.is_none_or(|one| check.name == one))
        .collect();
    (!checks.is_empty()).then_some((step, checks))
}
