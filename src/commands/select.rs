//! From the names and globs of a command line to what is there.

use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, types};
use globset::{Glob, GlobMatcher};

/// Whether a name holds a glob's characters, none of which a topic's name may have.
pub fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

/// Names as one types them in a shell: globs, blanks and whatever else a shell reads in its own way are quoted.
pub fn typed(names: &[String]) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "._-/:=,@%+".contains(letter);
    let quoted: Vec<String> = names
        .iter()
        .map(|name| {
            if !name.is_empty() && name.chars().all(plain) {
                name.clone()
            } else {
                format!("'{}'", name.replace('\'', r"'\''"))
            }
        })
        .collect();
    quoted.join(" ")
}

/// The topics that `patterns` name: a plain name must be there, a glob must match one at least. Kafka's own topics are
/// matched only by globs that begin with an underscore.
///
/// # Errors
/// When a name is not there, or a glob matches nothing.
pub fn topics(admin: &Admin, patterns: &[String]) -> Outcome<Vec<String>> {
    let metadata = admin.metadata()?;
    let names: Vec<&str> = metadata.topics.iter().map(|topic| topic.name.as_str()).collect();
    expand(patterns, &names, "topic", |name| admin.unknown_topic(name))
}

/// The groups that `patterns` name.
///
/// # Errors
/// When a name is not there, or a glob matches nothing.
pub fn groups(admin: &Admin, patterns: &[String]) -> Outcome<Vec<String>> {
    let (listed, errors) = admin.list_groups()?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into_failure("cannot list groups of every broker"));
    }
    let names: Vec<&str> = listed.iter().map(|group| group.group_id.as_str()).collect();
    expand(patterns, &names, "group", |name| admin.unknown_group(name))
}

fn expand(
    patterns: &[String],
    names: &[&str],
    noun: &str,
    unknown: impl Fn(&str) -> Failure,
) -> Outcome<Vec<String>> {
    let mut chosen: Vec<String> = Vec::new();
    let mut choose = |name: &str| {
        if !chosen.iter().any(|known| known == name) {
            chosen.push(name.to_owned());
        }
    };
    for pattern in patterns {
        // A group may be called anything, so the plain name comes first.
        if names.contains(&pattern.as_str()) {
            choose(pattern);
        } else if is_glob(pattern) {
            let glob = matcher(pattern)?;
            let mut matched = names
                .iter()
                .filter(|name| matches(pattern, &glob, name))
                .peekable();
            if matched.peek().is_none() {
                return Err(Failure::request(format!("no {noun} matches `{pattern}`"))
                    .hint(format!("velo {noun} list")));
            }
            matched.for_each(|name| choose(name));
        } else {
            return Err(unknown(pattern));
        }
    }
    Ok(chosen)
}

/// A glob, ready to be matched.
///
/// # Errors
/// When it is malformed.
pub fn matcher(pattern: &str) -> Outcome<GlobMatcher> {
    let glob = Glob::new(pattern)
        .map_err(|error| Failure::usage(format!("`{pattern}` is not a pattern")).because(error.kind()))?;
    Ok(glob.compile_matcher())
}

/// Whether `glob`, compiled from `pattern`, takes in `name`.
pub fn matches(pattern: &str, glob: &GlobMatcher, name: &str) -> bool {
    glob.is_match(name) && (pattern.starts_with('_') || !types::is_internal(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["__consumer_offsets", "trips", "velib-empty", "velib-stations"];

    fn chosen(patterns: &[&str]) -> Outcome<Vec<String>> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        expand(&patterns, &NAMES, "topic", |name| Failure::request(name))
    }

    #[test]
    fn globs_take_in_what_matches_once_and_leave_kafka_s_own_alone() {
        assert_eq!(
            chosen(&["velib-*", "velib-empty"]).unwrap(),
            ["velib-empty", "velib-stations"]
        );
        assert_eq!(
            chosen(&["*"]).unwrap(),
            ["trips", "velib-empty", "velib-stations"]
        );
        assert_eq!(chosen(&["__*"]).unwrap(), ["__consumer_offsets"]);
    }

    #[test]
    fn names_and_globs_that_find_nothing_are_told() {
        assert_eq!(chosen(&["velib"]).unwrap_err().what(), "velib");
        assert_eq!(chosen(&["x*"]).unwrap_err().what(), "no topic matches `x*`");
    }
}
