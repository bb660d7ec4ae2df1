//! `velo config`: settings of topics, brokers and groups.

pub mod change;
mod get;
mod set;
mod unset;

use super::{Context, candidates};
use crate::failure::{Failure, Outcome};
use crate::kafka::ConfigResource;
use clap::{Args, Subcommand, ValueEnum};

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show settings, where each comes from, and its default
    Get(get::GetArgs),
    /// Give settings a value
    Set(set::SetArgs),
    /// Put settings back to their defaults
    Unset(unset::UnsetArgs),
}

impl ConfigCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            ConfigCommand::Get(args) => get::run(&args, context),
            ConfigCommand::Set(args) => set::run(&args, context),
            ConfigCommand::Unset(args) => unset::run(&args, context),
        }
    }
}

/// What kinds of things have settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A topic, by name
    Topic,
    /// A broker, by id
    Broker,
    /// A consumer group, by name
    Group,
}

/// Whose settings.
#[derive(Debug, Clone, Args)]
pub struct Whose {
    /// Kind of thing that has the settings
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,
    /// Name of the topic or group, id of the broker
    #[arg(value_name = "NAME", add = candidates::config_names())]
    name: String,
}

impl Whose {
    /// As it stands on the command line.
    fn typed(&self) -> String {
        let kind = match self.kind {
            Kind::Topic => "topic",
            Kind::Broker => "broker",
            Kind::Group => "group",
        };
        format!("{kind} {}", self.name)
    }

    fn resource(&self) -> Outcome<ConfigResource> {
        Ok(match self.kind {
            Kind::Topic => ConfigResource::Topic(self.name.clone()),
            Kind::Group => ConfigResource::Group(self.name.clone()),
            Kind::Broker => ConfigResource::Broker(self.name.parse().map_err(|_| {
                Failure::usage(format!("`{}` is not a broker id", self.name)).hint("velo cluster status")
            })?),
        })
    }
}

/// `topic`, `broker` or `group`
fn noun(resource: &ConfigResource) -> &'static str {
    match resource {
        ConfigResource::Topic(_) => "topic",
        ConfigResource::Broker(_) => "broker",
        ConfigResource::Group(_) => "group",
    }
}

/// The name or id.
fn name(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(name) | ConfigResource::Group(name) => name.clone(),
        ConfigResource::Broker(id) => id.to_string(),
    }
}
