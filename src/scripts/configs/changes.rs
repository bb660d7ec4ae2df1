//! What `--add-config`, `--add-config-file` and `--delete-config` ask for.

use crate::kafka::{ConfigChange, properties};
use crate::scripts::Ending;
use crate::scripts::java_order::{hash_map_order, scala_order};
use crate::scripts::options::Parsed;
use std::collections::BTreeMap;
use std::fs;

/// The changes; `failed` reports a file that cannot be read.
pub(super) fn changes(
    parsed: &Parsed,
    failed: impl Fn(String) -> Ending,
) -> Result<Vec<ConfigChange>, Ending> {
    let mut added = BTreeMap::new();
    if let Some(path) = parsed.value("add-config-file")? {
        let text = fs::read_to_string(path)
            .map_err(|_| failed(format!("java.nio.file.NoSuchFileException: {path}")))?;
        added = properties::parse(&text);
    }
    if let Some(text) = parsed.value("add-config")? {
        added.extend(pairs(text)?);
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || "$._-".contains(character);
    if let Some(name) = added.keys().find(|name| !name.chars().all(allowed)) {
        return Err(Ending::failure(format!(
            "Invalid character found for config key: {name}"
        )));
    }
    let deleted = parsed
        .values("delete-config")
        .iter()
        .flat_map(|names| names.split(','))
        .map(|name| ConfigChange::Delete(name.trim().to_owned()));
    // As Java's Properties hand them out, and a map of Scala's after them.
    let mut added: Vec<(String, String)> = added.into_iter().collect();
    hash_map_order(&mut added, |(name, _)| name);
    scala_order(&mut added, |(name, _)| name);
    Ok(added
        .into_iter()
        .map(|(name, value)| ConfigChange::Set(name, value))
        .chain(deleted)
        .collect())
}

/// Those that set something, and those that take something back.
pub(super) fn divided(changes: &[ConfigChange]) -> (Vec<&ConfigChange>, Vec<&ConfigChange>) {
    let sets = |change: &&ConfigChange| matches!(change, ConfigChange::Set(..));
    changes.iter().partition(sets)
}

/// `k1=v1,k2=[v1,v2]`
fn pairs(text: &str) -> Result<BTreeMap<String, String>, Ending> {
    let mut parts = split_outside_brackets(text, ',');
    while parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    let mut pairs = BTreeMap::new();
    for part in parts {
        let [name, value] = split_outside_brackets(part, '=')[..] else {
            return Err(Ending::failure(
                "Invalid entity config: all configs to be added must be in the format \"key=val\" or  \
                 \"key=[val1,val2]\" to group values which contain commas.",
            ));
        };
        pairs.insert(
            name.trim().to_owned(),
            value.replace(['[', ']'], "").trim().to_owned(),
        );
    }
    Ok(pairs)
}

/// Splits at `mark` unless a bracket is closed behind it that was not opened behind it.
fn split_outside_brackets(text: &str, mark: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in text.match_indices(mark) {
        let rest = &text[at + mark.len_utf8()..];
        let before_closing = rest.split(']').next().unwrap_or_default();
        if before_closing.contains('[') || !rest.contains(']') {
            parts.push(&text[begin..at]);
            begin = at + mark.len_utf8();
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_hold_a_list_together() {
        let read = pairs("retention.ms=5000, cleanup.policy=[delete,compact],a=").unwrap();
        assert_eq!(read["retention.ms"], "5000");
        assert_eq!(read["cleanup.policy"], "delete,compact");
        assert_eq!(read["a"], "");
        assert!(pairs("retention.ms").is_err());
        assert_eq!(pairs("x=[a=b,c=d]").unwrap()["x"], "a=b,c=d");
    }
}
