//! What a shell offers when Tab is pressed: names from the live cluster, the settings and the course, and nothing at all
//! when none answers.

use super::cluster::{ClusterFolder, DataArgs};
use super::completions::typed_words;
use super::contexts::Settings;
use super::settings;
use crate::cli::Global;
use crate::commands::Context;
use crate::commands::consume::message_names;
use crate::course::load::Source;
use crate::kafka::{Admin, ConfigResource};
use crate::places::Places;
use clap::Parser;
use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;

/// Topics of the cluster that is meant.
pub fn topics() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(topic_names()))
}

/// Groups of that cluster.
pub fn groups() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(group_names()))
}

/// Ids of that cluster's brokers.
pub fn brokers() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(broker_ids()))
}

/// Ids of the nodes of this machine's cluster, those that do not run too.
pub fn nodes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(node_ids().unwrap_or_default()))
}

/// What `velo config` may be about: topics, groups or brokers, as the word before says.
pub fn config_names() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let words = typed_words();
        let is_said = |kind: &str| words.iter().any(|word| word == kind);
        offered(match () {
            () if is_said("broker") => broker_ids(),
            () if is_said("group") => group_names(),
            () => topic_names(),
        })
    })
}

/// Settings of the topic, broker or group that `velo config` is about: by their names, or ready for their value.
pub fn settings_of(ready: bool) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        let names = settings_named(&typed_words()).unwrap_or_else(topic_settings);
        let ending = if ready { "=" } else { "" };
        offered(names.into_iter().map(|name| format!("{name}{ending}")))
    })
}

/// Settings of topics, ready for their value.
pub fn assignments() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(topic_settings().into_iter().map(|name| format!("{name}="))))
}

/// Settings of topics.
pub fn setting_names() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(topic_settings()))
}

/// The lessons in the program.
pub fn lessons() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let lessons = Source::Embedded.lessons().unwrap_or_default();
        offered(lessons.into_iter().map(|lesson| lesson.id))
    })
}

/// The messages of the `.proto` file that `--proto` names on the line so far.
pub fn messages() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let file = option_value(&typed_words(), "--proto").map(PathBuf::from);
        offered(
            file.and_then(|file| message_names(&file).ok())
                .unwrap_or_default(),
        )
    })
}

/// The remembered clusters.
pub fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let settings = Places::from_environment().and_then(|places| Settings::load(&places));
        offered(settings.unwrap_or_default().contexts.into_keys())
    })
}

/// A group's name may hold anything. What a terminal would obey is not to be put on a command line.
fn offered(names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    let names = names.into_iter();
    names
        .filter(|name| !name.contains(char::is_control))
        .map(CompletionCandidate::new)
        .collect()
}

fn topic_names() -> Vec<String> {
    let metadata = admin().and_then(|admin| admin.metadata().ok());
    let topics = metadata.into_iter().flat_map(|metadata| metadata.topics);
    topics
        .filter(|topic| !topic.is_internal())
        .map(|topic| topic.name)
        .collect()
}

fn group_names() -> Vec<String> {
    let listed = admin().and_then(|admin| admin.list_groups().ok());
    let groups = listed.into_iter().flat_map(|(groups, _)| groups);
    groups.map(|group| group.group_id).collect()
}

fn broker_ids() -> Vec<String> {
    let metadata = admin().and_then(|admin| admin.metadata().ok());
    let brokers = metadata.into_iter().flat_map(|metadata| metadata.brokers);
    brokers.map(|broker| broker.id.to_string()).collect()
}

/// The nodes of the cluster of `--data`, else of the one that is meant where none is named.
fn node_ids() -> Option<Vec<String>> {
    let words = typed_words();
    let data = option_value(&words, "--data").map(PathBuf::from);
    let context = Context::new(FromCommandLine::try_parse_from(["velo"]).ok()?.global).ok()?;
    let folder = ClusterFolder::meant(&DataArgs { data }, &context).ok()?;
    let ids = folder.shape().ok()??.nodes();
    Some(ids.iter().map(i32::to_string).collect())
}

/// The value that an option was given on the line so far.
fn option_value(words: &[String], option: &str) -> Option<String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some((name, value)) if name == option => return Some(value.to_owned()),
            None if word == option => return words.next().cloned(),
            _ => {}
        }
    }
    None
}

fn topic_settings() -> Vec<String> {
    let names = settings::TOPIC_SETTINGS.iter();
    names.map(|name| (*name).to_owned()).collect()
}

/// The settings that the cluster tells of what a line such as `velo config get topic orders` names.
fn settings_named(words: &[String]) -> Option<Vec<String>> {
    let at = words
        .iter()
        .position(|word| matches!(word.as_str(), "topic" | "broker" | "group"))?;
    let name = words.get(at + 1)?.clone();
    let resource = match words.get(at)?.as_str() {
        "broker" => ConfigResource::Broker(name.parse().ok()?),
        "group" => ConfigResource::Group(name),
        _ => ConfigResource::Topic(name),
    };
    let entries = admin()?.describe_configs(&resource).ok()?;
    Some(entries.into_iter().map(|entry| entry.name).collect())
}

/// The global options alone, as the command line so far and the environment give them.
#[derive(Parser)]
struct FromCommandLine {
    #[command(flatten)]
    global: Global,
}

/// A shell shows no errors while it completes, so there are none to tell.
fn admin() -> Option<Admin> {
    let options = FromCommandLine::try_parse_from(naming_a_cluster(&typed_words())).ok()?;
    let context = Context::new(options.global).ok()?;
    Admin::connect(&context.connection).ok()
}

/// Of the words typed so far those that say which cluster is meant, behind the program's name.
fn naming_a_cluster(words: &[String]) -> Vec<String> {
    const OPTIONS: [&str; 4] = ["-b", "--bootstrap-server", "--context", "--command-config"];
    let mut naming = vec!["velo".to_owned()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, value) = word
            .split_once('=')
            .map_or((word.as_str(), None), |(option, value)| (option, Some(value)));
        if !OPTIONS.contains(&option) {
            continue;
        }
        if let Some(value) = value.map(str::to_owned).or_else(|| words.next().cloned()) {
            naming.extend([option.to_owned(), value]);
        }
    }
    naming
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_named_on_the_line_is_the_one_that_is_asked() {
        let words = [
            "velo",
            "topic",
            "-b",
            "there:9092",
            "describe",
            "--context=far",
            "--output",
            "json",
        ];
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(
            naming_a_cluster(&words),
            ["velo", "-b", "there:9092", "--context", "far"]
        );
    }
}
