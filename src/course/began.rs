//! What a step begins with: who is in the groups that somebody else shall take over.

use super::fact::ClusterFacts;
use super::model::{Check, FactName};
use crate::failure::Outcome;
use std::collections::BTreeSet;

/// The members that the groups of `taken-over` checks have now.
///
/// # Errors
/// When the cluster does not answer.
pub fn members(facts: &dyn ClusterFacts, checks: &[Check]) -> Outcome<BTreeSet<String>> {
    let mut members = BTreeSet::new();
    for group in checks.iter().filter(|check| follows(check)) {
        let name = group.group.as_deref().unwrap_or_default();
        let found = facts.group(name)?.unwrap_or_default();
        members.extend(found.members.into_iter().map(|member| member.id));
    }
    Ok(members)
}

/// Tells the checks who was there when the step began.
pub fn remember(checks: &mut [Check], members: &BTreeSet<String>) {
    for check in checks.iter_mut().filter(|check| follows(check)) {
        check.since.clone_from(members);
    }
}

fn follows(check: &Check) -> bool {
    check.fact == FactName::TakenOver
}
