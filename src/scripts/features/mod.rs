//! `kafka-features`: what the cluster's nodes have agreed to do.

mod known;
mod update;

use super::argparse::{Arg, Command, Group, Manners, Parsed, Parser, Takes, Type};
use super::wire_tool::{
    self, bootstrap_controller, bootstrap_group, bootstrap_server, command_config, refused,
};
use super::{Ending, out};
use crate::kafka::Wire;
pub(super) use known::UNSTABLE;

const METADATA: Arg = Arg::new(
    &["--metadata"],
    Takes::One(Type::Text),
    "METADATA",
    "DEPRECATED: use --release-version. The level of metadata.version, for example 4.4-IV2.",
);
const RELEASE: Arg = Arg::new(
    &["--release-version"],
    Takes::One(Type::Text),
    "RELEASE_VERSION",
    "Set all features to what this release has, for example 4.4; version-mapping shows it.",
);
const FEATURE: Arg = Arg::new(
    &["--feature"],
    Takes::Each(Type::Text),
    "FEATURE",
    "One feature, as NAME=LEVEL, for example metadata.version=33. May be repeated.",
);
const UNSAFE: Arg = Arg::flag(&["--unsafe"], "Do it even if metadata may be lost for good.");
const DRY_RUN: Arg = Arg::flag(&["--dry-run"], "Only ask whether it could be done.");
const GROUPS: &[Group] = &[bootstrap_group(false)];

const PARSER: Parser = Parser {
    prog: "kafka-features",
    about: "This tool manages the features that a cluster has agreed on.",
    args: &[
        bootstrap_server(&["--bootstrap-server"]),
        bootstrap_controller(&["--bootstrap-controller"]),
        command_config(&["--command-config"]),
    ],
    groups: GROUPS,
    command_metavar: "",
    manners: Manners::OneLine,
    commands: &[
        Command {
            name: "describe",
            help: "Describe the features.",
            args: &[],
            groups: &[],
        },
        Command {
            name: "upgrade",
            help: "Raise features.",
            args: &[METADATA, RELEASE, FEATURE, DRY_RUN],
            groups: &[],
        },
        Command {
            name: "downgrade",
            help: "Lower features.",
            args: &[METADATA, RELEASE, FEATURE, UNSAFE, DRY_RUN],
            groups: &[],
        },
        Command {
            name: "disable",
            help: "Lower features to level 0.",
            args: &[
                Arg::new(
                    &["--feature"],
                    Takes::Each(Type::Text),
                    "FEATURE",
                    "The name of a feature. May be repeated.",
                ),
                UNSAFE,
                DRY_RUN,
            ],
            groups: &[],
        },
        Command {
            name: "version-mapping",
            help: "Print which level of each feature a release has; without --release-version, the latest stable one.",
            args: &[Arg::new(
                &["--release-version"],
                Takes::One(Type::Text),
                "RELEASE_VERSION",
                "The release, from 3.3-IV3 to 4.4-IV2, which is the default.",
            )],
            groups: &[],
        },
        Command {
            name: "feature-dependencies",
            help: "Print what a feature's level needs.",
            args: &[Arg::new(
                &["--feature"],
                Takes::Each(Type::Text),
                "FEATURE",
                "One feature, as NAME=LEVEL. May be repeated.",
            )
            .required()],
            groups: &[],
        },
    ],
};

/// Runs the script.
///
/// # Errors
/// The tool's message on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let given = PARSER.parse(arguments)?;
    match given.command.unwrap_or_default() {
        "describe" => describe(&given)?,
        "upgrade" | "downgrade" | "disable" => update::run(&given)?,
        "version-mapping" => version_mapping(&given)?,
        _ => dependencies(&given)?,
    }
    Ok(0)
}

fn connect(given: &Parsed, call: &str) -> Result<Wire, Ending> {
    if !given.has("bootstrap-server") && !given.has("bootstrap-controller") {
        return Err(PARSER.error("You must specify either --bootstrap-controller or --bootstrap-server."));
    }
    wire_tool::connect(given, given.value("command-config"), call)
}

fn describe(given: &Parsed) -> Result<(), Ending> {
    const CALL: &str = "describeFeatures";
    let features = connect(given, CALL)?.features(None).map_err(refused(CALL))?;
    let epoch = features.epoch.map_or("-".to_owned(), |epoch| epoch.to_string());
    for (name, range) in &features.supported {
        let finalized = features.finalized.get(name).map_or(0, |levels| levels.max);
        let level = |level: i16| known::level_text(name, level);
        out(&format!(
            "Feature: {name:<40}  SupportedMinVersion: {:<15}  SupportedMaxVersion: {:<15}  \
             FinalizedVersionLevel: {:<15}  Epoch: {epoch}",
            level(range.min),
            level(range.max),
            level(finalized),
        ));
    }
    Ok(())
}

fn version_mapping(given: &Parsed) -> Result<(), Ending> {
    let release = given.value("release-version").unwrap_or(known::LATEST.0);
    out(&mapping(release).map_err(Ending::failure)?);
    Ok(())
}

/// The lines of `version-mapping`, for a release such as `4.4` or `4.4-IV2`.
///
/// # Errors
/// When there is no such release.
pub fn mapping(release: &str) -> Result<String, String> {
    let level = known::release_level(release)?;
    let mut lines = vec![format!("{}={level} ({release})", known::METADATA_VERSION)];
    for feature in known::FEATURES {
        lines.push(format!("{}={}", feature.name, feature.level_in(level)));
    }
    Ok(lines.join("\n"))
}

fn dependencies(given: &Parsed) -> Result<(), Ending> {
    for feature in given.values("feature") {
        out(&dependencies_of(feature).map_err(Ending::failure)?);
    }
    Ok(())
}

/// The lines of `feature-dependencies` for one `NAME=LEVEL`.
///
/// # Errors
/// When there is no such feature or level.
pub fn dependencies_of(feature: &str) -> Result<String, String> {
    let (name, level) = known::name_and_level(feature)?;
    if name == known::METADATA_VERSION {
        let release = known::release_of(level).ok_or_else(|| format!("Unknown metadata.version {level}"))?;
        return Ok(format!("{name}={level} ({release}) has no dependencies."));
    }
    let mut features = known::FEATURES.iter();
    let feature = features
        .find(|feature| feature.name == name)
        .ok_or_else(|| format!("Unknown feature: {name}"))?;
    let needs = feature
        .needs(level)
        .ok_or_else(|| format!("No feature:{name} with feature level {level}"))?;
    Ok(match needs {
        None => format!("{name}={level} has no dependencies."),
        Some(metadata) => format!(
            "{name}={level} requires:\n    {}={metadata} ({})",
            known::METADATA_VERSION,
            known::release_of(metadata).unwrap_or_default()
        ),
    })
}

/// Checks that the feature of one `NAME=LEVEL` is one that nodes can be formatted with.
///
/// # Errors
/// When it is none.
pub fn check_supported(feature: &str) -> Result<(), String> {
    let (name, _) = known::name_and_level(feature)?;
    let mut names: Vec<&str> = known::FEATURES.iter().map(|feature| feature.name).collect();
    if name == known::METADATA_VERSION || names.contains(&name) {
        return Ok(());
    }
    names.sort_unstable();
    Err(format!(
        "Unsupported feature: {name}. Supported features are: {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_map_to_the_levels_that_apache_kafka_4_4_0_printed() {
        assert_eq!(
            mapping("3.9").unwrap(),
            "metadata.version=21 (3.9)\nkraft.version=1\ntransaction.version=0\ngroup.version=0\n\
             eligible.leader.replicas.version=0\nshare.version=0\nstreams.version=0"
        );
        assert_eq!(
            mapping("4.4-IV2").unwrap(),
            "metadata.version=33 (4.4-IV2)\nkraft.version=1\ntransaction.version=2\ngroup.version=1\n\
             eligible.leader.replicas.version=1\nshare.version=2\nstreams.version=1"
        );
        assert!(mapping("4.5").is_err(), "it is not stable");
        let unknown = mapping("9.9").unwrap_err();
        assert!(
            unknown.starts_with(
                "Unknown metadata.version '9.9'. Supported metadata.version are: 3.3-IV3, 3.4-IV0,"
            ) && unknown.ends_with("4.3-IV0, 4.4-IV0, 4.4-IV1, 4.4-IV2, 4.5-IV0"),
            "{unknown}"
        );
    }

    #[test]
    fn dependencies_are_those_that_apache_kafka_4_4_0_printed() {
        for (feature, said) in [
            (
                "transaction.version=2",
                "transaction.version=2 has no dependencies.",
            ),
            (
                "eligible.leader.replicas.version=1",
                "eligible.leader.replicas.version=1 requires:\n    metadata.version=23 (4.0-IV1)",
            ),
            (
                "metadata.version=20",
                "metadata.version=20 (3.8-IV0) has no dependencies.",
            ),
        ] {
            assert_eq!(dependencies_of(feature).unwrap(), said);
        }
        for (feature, said) in [
            ("foo=1", "Unknown feature: foo"),
            ("group.version=9", "No feature:group.version with feature level 9"),
            ("metadata.version=99", "Unknown metadata.version 99"),
            (
                "foo",
                "Can't parse feature=level string foo: equals sign not found.",
            ),
            (
                "foo=x",
                "Can't parse feature=level string foo=x: unable to parse x as a short.",
            ),
        ] {
            assert_eq!(dependencies_of(feature).unwrap_err(), said);
        }
    }
}
