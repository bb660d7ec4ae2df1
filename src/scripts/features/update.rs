//! `upgrade`, `downgrade` and `disable`.

use super::known;
use crate::kafka::FeatureChange;
use crate::scripts::argparse::Parsed;
use crate::scripts::java_order::hash_map_order;
use crate::scripts::wire_tool::message;
use crate::scripts::{Ending, out};
use std::collections::BTreeMap;

const CALL: &str = "updateFeatures";

/// Asks the cluster for new levels, and says of each feature what became of it.
pub(super) fn run(given: &Parsed) -> Result<(), Ending> {
    let operation = given.command.unwrap_or_default();
    let updates = wanted(given)?;
    if updates.is_empty() {
        return Err(Ending::failure(format!(
            "You must specify at least one feature to {operation}"
        )));
    }
    let change = match (operation, given.has("unsafe")) {
        ("upgrade", _) => FeatureChange::Upgrade,
        (_, false) => FeatureChange::SafeDowngrade,
        (_, true) => FeatureChange::UnsafeDowngrade,
    };
    let dry = given.has("dry-run");
    let mut wire = super::connect(given, CALL)?;
    // The first that is refused is the reason for all.
    let mut asked: Vec<(String, i16)> = updates.clone().into_iter().collect();
    hash_map_order(&mut asked, |(name, _)| name.as_str());
    let refusal = wire.update_features(&asked, change, dry);
    let mut failures = 0;
    for (name, level) in &updates {
        let answer = match &refusal {
            Ok(answers) => {
                let mut answers = asked.iter().zip(answers);
                let own = answers.find(|((asked, _), _)| asked == name);
                own.map_or(Ok(()), |(_, answer)| answer.clone())
            }
            Err(error) => Err(error.clone()),
        };
        let disable = operation == "disable";
        match answer {
            Ok(()) => {
                let verb = if dry { "can be" } else { "was" };
                out(&match disable {
                    true => format!("{name} {verb} disabled."),
                    false => format!("{name} {verb} {operation}d to {level}."),
                });
            }
            Err(error) => {
                failures += 1;
                let verb = if dry { "Can not" } else { "Could not" };
                let why = message(&error, CALL);
                out(&match disable {
                    true => format!("{verb} disable {name}. {why}"),
                    false => format!("{verb} {operation} {name} to {level}. {why}"),
                });
            }
        }
    }
    if failures > 0 {
        return Err(Ending::failure(format!(
            "{failures} out of {} operation(s) failed.",
            updates.len()
        )));
    }
    Ok(())
}

/// The features with the levels they shall have, by name.
fn wanted(given: &Parsed) -> Result<BTreeMap<String, i16>, Ending> {
    let features = given.values("feature");
    let metadata = given.value("metadata");
    let mut updates = BTreeMap::new();
    if given.command.unwrap_or_default() == "disable" {
        for name in features {
            put(&mut updates, name, 0)?;
        }
        return Ok(updates);
    }
    if let Some(release) = given.value("release-version") {
        if metadata.is_some() || !features.is_empty() {
            return Err(Ending::failure(
                "Can not specify `release-version` with other feature flags.",
            ));
        }
        return of_release(release, given.command.unwrap_or_default());
    }
    if let Some(release) = metadata {
        out(" `metadata` flag is deprecated and may be removed in a future release.");
        let level = known::release_level(release).map_err(Ending::failure)?;
        updates.insert(known::METADATA_VERSION.to_owned(), level);
    }
    for feature in features {
        let (name, level) = known::name_and_level(feature).map_err(Ending::failure)?;
        put(&mut updates, name, level)?;
    }
    Ok(updates)
}

fn of_release(release: &str, operation: &str) -> Result<BTreeMap<String, i16>, Ending> {
    let metadata = known::release_level(release).map_err(Ending::failure)?;
    let mut updates = BTreeMap::from([(known::METADATA_VERSION.to_owned(), metadata)]);
    for feature in known::FEATURES {
        let level = feature.level_in(metadata);
        // An upgrade to 0 is none.
        if operation != "upgrade" || level > 0 {
            updates.insert(feature.name.to_owned(), level);
        }
    }
    Ok(updates)
}

fn put(updates: &mut BTreeMap<String, i16>, name: &str, level: i16) -> Result<(), Ending> {
    match updates.insert(name.to_owned(), level) {
        None => Ok(()),
        Some(_) => Err(Ending::failure(format!(
            "Feature {name} was specified more than once."
        ))),
    }
}
