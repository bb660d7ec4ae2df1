//! `kafka-consumer-groups --list`

use super::{OPTIONS, failed, late, refused};
use crate::kafka::{Admin, GroupListing};
use crate::scripts::java_format::split;
use crate::scripts::java_order::hash_map_order;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};

/// In the order in which Kafka's tool names them.
const STATES: [&str; 7] = [
    "Reconciling",
    "CompletingRebalance",
    "Assigning",
    "Empty",
    "PreparingRebalance",
    "Dead",
    "Stable",
];
const TYPES: [&str; 2] = ["Consumer", "Classic"];

pub(super) fn run(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let with_type = parsed.has("type");
    let with_state = parsed.has("state");
    if !with_type && !with_state {
        for group in all_ids(admin)? {
            out(&group);
        }
        return Ok(());
    }
    let types = wanted(parsed.value("type").map_err(late)?, &TYPES, "types")?;
    let states = wanted(parsed.value("state").map_err(late)?, &STATES, "state")?;
    let mut groups = all(admin)?;
    groups.retain(|group| {
        (types.is_empty() || types.contains(&group.group_type.kafka_name()))
            && (states.is_empty() || states.contains(&group.state.kafka_name()))
    });
    let width = groups
        .iter()
        .map(|group| group.group_id.len())
        .max()
        .unwrap_or(0)
        .max(15)
        + 10;
    let row = |group: &str, kind: &str, state: &str| {
        let mut line = format!("{group:width$}");
        if with_type {
            line.push_str(&format!(" {kind:20}"));
        }
        if with_state {
            line.push_str(&format!(" {state:20}"));
        }
        out(&line);
    };
    row("GROUP", "TYPE", "STATE");
    for group in &groups {
        row(
            &group.group_id,
            group.group_type.kafka_name(),
            group.state.kafka_name(),
        );
    }
    Ok(())
}

fn wanted(text: Option<&str>, known: &[&'static str], what: &str) -> Result<Vec<&'static str>, Ending> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let find = |name: &str| {
        known
            .iter()
            .copied()
            .find(|known| known.eq_ignore_ascii_case(name.trim()))
    };
    split(text, ',')
        .into_iter()
        .map(find)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            OPTIONS.misuse(format!(
                "Invalid {what} list '{text}'. Valid {}s are: {}",
                what.trim_end_matches('s'),
                known.join(", ")
            ))
        })
}

/// The ids of all groups, in the order in which Java lists them.
pub(super) fn all_ids(admin: &Admin) -> Result<Vec<String>, Ending> {
    Ok(all(admin)?.into_iter().map(|group| group.group_id).collect())
}

fn all(admin: &Admin) -> Result<Vec<GroupListing>, Ending> {
    let (mut groups, errors) = admin.list_groups().map_err(failed("listGroups"))?;
    if let Some(error) = errors.first() {
        return Err(refused(error));
    }
    hash_map_order(&mut groups, |group| &group.group_id);
    Ok(groups)
}
