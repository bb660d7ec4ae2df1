//! What a shell offers when Tab is pressed: names from the live cluster, and nothing at all when none answers.

use super::settings;
use crate::cli::Global;
use crate::commands::Context;
use crate::kafka::Admin;
use clap::Parser;
use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCandidates;

/// Topics of the cluster that the environment or the current context names.
pub fn topics() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let metadata = admin().and_then(|admin| admin.metadata().ok());
        let topics = metadata.into_iter().flat_map(|metadata| metadata.topics);
        topics
            .filter(|topic| !topic.is_internal() && can_be_typed(&topic.name))
            .map(|topic| CompletionCandidate::new(topic.name))
            .collect()
    })
}

/// Groups of that cluster.
pub fn groups() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let listed = admin().and_then(|admin| admin.list_groups().ok());
        let groups = listed.into_iter().flat_map(|(groups, _)| groups);
        groups
            .filter(|group| can_be_typed(&group.group_id))
            .map(|group| CompletionCandidate::new(group.group_id))
            .collect()
    })
}

/// Settings of topics, ready for their value.
pub fn assignments() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = settings::TOPIC_SETTINGS.iter();
        names
            .map(|name| CompletionCandidate::new(format!("{name}=")))
            .collect()
    })
}

/// A group's name may hold anything. What a terminal would obey is not to be put on a command line.
fn can_be_typed(name: &str) -> bool {
    !name.contains(char::is_control)
}

/// The global options alone, as the environment gives them.
#[derive(Parser)]
struct FromEnvironment {
    #[command(flatten)]
    global: Global,
}

/// A shell shows no errors while it completes, so there are none to tell.
fn admin() -> Option<Admin> {
    let options = FromEnvironment::try_parse_from(["velo"]).ok()?;
    let context = Context::new(options.global).ok()?;
    Admin::connect(&context.connection).ok()
}
