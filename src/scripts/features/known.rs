//! The features of Apache Kafka 4.4.0, and which release brought which level.

/// The feature that the others follow.
pub const METADATA_VERSION: &str = "metadata.version";
/// The latest release that is stable.
pub const LATEST: (&str, i16) = ("4.4-IV2", 33);
/// The release after it, which is not stable yet.
pub const UNSTABLE: &str = "4.5-IV0";
/// Releases by their level of `metadata.version`.
const RELEASES: [(&str, i16); 28] = [
    ("3.3-IV3", 7),
    ("3.4-IV0", 8),
    ("3.5-IV0", 9),
    ("3.5-IV1", 10),
    ("3.5-IV2", 11),
    ("3.6-IV0", 12),
    ("3.6-IV1", 13),
    ("3.6-IV2", 14),
    ("3.7-IV0", 15),
    ("3.7-IV1", 16),
    ("3.7-IV2", 17),
    ("3.7-IV3", 18),
    ("3.7-IV4", 19),
    ("3.8-IV0", 20),
    ("3.9-IV0", 21),
    ("4.0-IV0", 22),
    ("4.0-IV1", 23),
    ("4.0-IV2", 24),
    ("4.0-IV3", 25),
    ("4.1-IV0", 26),
    ("4.1-IV1", 27),
    ("4.2-IV0", 28),
    ("4.2-IV1", 29),
    ("4.3-IV0", 30),
    ("4.4-IV0", 31),
    ("4.4-IV1", 32),
    LATEST,
    (UNSTABLE, 34),
];

/// A feature beside `metadata.version`.
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// From level 1 on: the `metadata.version` of the release that brought it, and the one it needs if it needs any.
    levels: &'static [(i16, Option<i16>)],
}

/// All of them, in the order that Kafka lists them.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: "kraft.version",
        levels: &[(21, None)],
    },
    Feature {
        name: "transaction.version",
        levels: &[(24, None), (24, None)],
    },
    Feature {
        name: "group.version",
        levels: &[(22, None)],
    },
    Feature {
        name: "eligible.leader.replicas.version",
        levels: &[(26, Some(23))],
    },
    Feature {
        name: "share.version",
        levels: &[(28, None), (31, None)],
    },
    Feature {
        name: "streams.version",
        levels: &[(29, None)],
    },
];

impl Feature {
    /// The level it has in the release with that `metadata.version`.
    pub fn level_in(&self, metadata: i16) -> i16 {
        let there = self.levels.iter().filter(|(since, _)| *since <= metadata);
        i16::try_from(there.count()).unwrap_or_default()
    }

    /// The `metadata.version` that a level needs, if it needs any; nothing when there is no such level.
    pub fn needs(&self, level: i16) -> Option<Option<i16>> {
        if level == 0 {
            return Some(None);
        }
        let index = usize::try_from(level).ok()?.checked_sub(1)?;
        self.levels.get(index).map(|(_, needed)| *needed)
    }
}

/// The `metadata.version` of a release: `4.4-IV2`, or `4.4` for its last one.
///
/// # Errors
/// Kafka's message, with all releases, when there is none of that name.
pub fn release_level(release: &str) -> Result<i16, String> {
    // 4.4.0 is 4.4.
    let name: Vec<&str> = release.split('.').take(2).collect();
    let name = name.join(".");
    let stable = RELEASES.iter().filter(|(_, level)| *level <= LATEST.1);
    let found = stable
        .rev()
        .find(|(known, _)| *known == name || known.split_once('-').is_some_and(|(short, _)| short == name));
    found.map(|(_, level)| *level).ok_or_else(|| {
        let all: Vec<&str> = RELEASES.iter().map(|(name, _)| *name).collect();
        format!(
            "Unknown metadata.version '{release}'. Supported metadata.version are: {}",
            all.join(", ")
        )
    })
}

/// The release with that `metadata.version`.
pub fn release_of(level: i16) -> Option<&'static str> {
    let found = RELEASES.iter().find(|(_, known)| *known == level);
    found.map(|(name, _)| *name)
}

/// A level as the tool shows it: of `metadata.version`, the release.
pub fn level_text(feature: &str, level: i16) -> String {
    if feature != METADATA_VERSION {
        return level.to_string();
    }
    release_of(level).map_or_else(|| format!("UNKNOWN {level}"), str::to_owned)
}

/// Splits `NAME=LEVEL`.
///
/// # Errors
/// Kafka's message when it is something else.
pub fn name_and_level(text: &str) -> Result<(&str, i16), String> {
    let problem = format!("Can't parse feature=level string {text}");
    let (name, level) = text
        .split_once('=')
        .ok_or_else(|| format!("{problem}: equals sign not found."))?;
    let level = level.trim();
    let number = level
        .parse()
        .map_err(|_| format!("{problem}: unable to parse {level} as a short."))?;
    Ok((name.trim(), number))
}
