//! What the names of listeners stand for.

use super::properties::{Properties, words};
use crate::broker::security::SecurityProtocol;
use std::collections::BTreeMap;

/// The setting that says so.
pub(super) const MAP: &str = "listener.security.protocol.map";

/// The names of all protocols, as Kafka lists them.
pub(super) fn names_of_all() -> String {
    SecurityProtocol::ALL.map(SecurityProtocol::name).join(", ")
}

/// What each listener's name stands for: as given; else each protocol under its own name, and PLAINTEXT for controllers
/// where nothing asks for more.
///
/// # Errors
/// The text Kafka gives.
pub(super) fn protocols(
    given: &Properties,
    controllers: &[&str],
    listeners: &str,
) -> Result<BTreeMap<String, SecurityProtocol>, String> {
    if let Some(text) = given.get(MAP) {
        return words(text).map(named).collect();
    }
    let all = SecurityProtocol::ALL.map(|protocol| (protocol.name().to_owned(), protocol));
    let mut map = BTreeMap::from(all);
    let is_secured = |name: &str| {
        SecurityProtocol::of_name(name).is_some_and(|protocol| protocol != SecurityProtocol::Plaintext)
    };
    let name_of = |listener: &str| listener.split(':').next().unwrap_or_default().to_uppercase();
    let secured = controllers.iter().any(|name| is_secured(name))
        || words(listeners).any(|listener| is_secured(&name_of(listener)));
    if !secured {
        let plain = controllers.iter().map(|name| (*name).to_owned());
        map.extend(plain.map(|name| (name, SecurityProtocol::Plaintext)));
    }
    Ok(map)
}

/// `NAME:PROTOCOL`
fn named(pair: &str) -> Result<(String, SecurityProtocol), String> {
    let Some((name, protocol)) = pair.rsplit_once(':') else {
        return Err(format!(
            "Error parsing configuration property '{MAP}': begin 0, end -1, length {}",
            pair.chars().count()
        ));
    };
    let protocol = protocol.trim().to_uppercase();
    let known = SecurityProtocol::of_name(&protocol)
        .ok_or_else(|| format!("Invalid security protocol `{protocol}` defined in {MAP}"))?;
    Ok((name.trim().to_uppercase(), known))
}
