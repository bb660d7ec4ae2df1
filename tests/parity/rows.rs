//! The table of `docs/parity.md`.

use std::collections::BTreeMap;
use std::fs;

/// Rows that the comparison itself allows, everywhere.
pub const EVERYWHERE: [&str; 3] = ["clean-stderr", "hints", "help-words"];

/// A deliberate difference.
pub struct Row {
    pub scripts: String,
    /// `cases`, or the test that shows it: `tests/scripts/server.rs: name_of_the_test`.
    pub shown_by: String,
}

/// All rows by id.
pub fn load() -> BTreeMap<String, Row> {
    let text = fs::read_to_string("docs/parity.md").unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line
            .trim()
            .trim_matches('|')
            .split(" | ")
            .map(str::trim)
            .collect();
        let [id, scripts, _case, _differs, _why, shown_by] = cells[..] else {
            panic!("docs/parity.md: six cells, none empty: {line}");
        };
        let row = Row {
            scripts: scripts.to_owned(),
            shown_by: shown_by.to_owned(),
        };
        let id = id.trim_matches('`').to_owned();
        assert!(rows.insert(id, row).is_none(), "docs/parity.md: twice: {line}");
    }
    rows
}

impl Row {
    /// Whether the row speaks of a script.
    pub fn is_about(&self, script: &str) -> bool {
        self.scripts == "all" || self.scripts.split(", ").any(|name| name == script)
    }

    /// Whether the test that is named as its proof is there; `None` when the cases are its proof.
    pub fn has_its_test(&self) -> Option<bool> {
        let (file, test) = self.shown_by.trim_matches('`').split_once(": ")?;
        let text = fs::read_to_string(file).unwrap_or_default();
        Some(text.contains(&format!("fn {test}(")))
    }
}
