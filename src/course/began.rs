//! What a step begins with: who is in the groups that somebody else shall take over.

use super::check::Check;
use super::facts::ClusterFacts;
use crate::failure::Outcome;
use std::collections::BTreeSet;

/// The members that the groups of `taken-over` checks have now.
///
/// # Errors
/// When the cluster does not answer.
pub fn members(facts: &dyn ClusterFacts, checks: &[Check]) -> Outcome<BTreeSet<String>> {
    let mut members = BTreeSet::new();
    for group in checks.iter().filter_map(|check| check.fact.since_the_start()) {
        let found = facts.group(group)?.unwrap_or_default();
        members.extend(found.members.into_iter().map(|member| member.id));
    }
    Ok(members)
}
