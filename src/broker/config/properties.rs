//! Names and values as a file gives them.

use super::definition::trim;
use std::collections::BTreeMap;

/// Settings by name.
pub(super) type Properties = BTreeMap<String, String>;

/// A value without the blanks around it, unless nothing is left.
pub(super) fn given<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties
        .get(name)
        .map(|value| trim(value))
        .filter(|value| !value.is_empty())
}

/// The items of a list.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(trim).filter(|word| !word.is_empty())
}

/// `listeners`, or what Kafka takes without it.
pub(super) fn listeners_text(properties: &Properties) -> &str {
    given(properties, "listeners").unwrap_or("PLAINTEXT://:9092")
}
