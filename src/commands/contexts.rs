//! `velo context`: named clusters, so that no address has to be typed twice.

use super::Context;
use crate::bom;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use crate::ui::OutputFormat;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{fs, io};

/// What to do with named clusters.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Remember a cluster under a name
    Add(AddArgs),
    /// Make a remembered cluster the one that commands talk to
    Use(NameArgs),
    /// List the remembered clusters
    List,
    /// Forget a cluster
    Remove(NameArgs),
}

/// Options of `velo context add`; the address is `--bootstrap-server`'s, the properties are `--command-config`'s.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name of the cluster
    pub name: String,
}

/// A remembered cluster's name.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Name of the cluster
    pub name: String,
}

/// A remembered cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCluster {
    /// `HOST:PORT,…`
    pub bootstrap_server: String,
    /// File of connection properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_config: Option<PathBuf>,
}

/// The settings file, `velo.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the cluster in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// By name.
    #[serde(default, rename = "context")]
    pub contexts: BTreeMap<String, NamedCluster>,
}

impl Settings {
    /// Reads the settings file; without one, there are no settings.
    ///
    /// # Errors
    /// When the file cannot be read or is not ours.
    pub fn load(places: &Places) -> Outcome<Self> {
        let path = Self::path(places);
        match bom::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                Failure::usage(format!(
                    "the settings file {} cannot be understood",
                    path.display()
                ))
                .because(error.message())
                .hint(format!("mend or delete {}", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::request(format!("cannot read {}", path.display())).because(error)),
        }
    }

    /// The cluster in use.
    pub fn current(&self) -> Option<&NamedCluster> {
        self.contexts.get(self.current.as_ref()?)
    }

    fn save(&self, places: &Places) -> Outcome {
        let path = Self::path(places);
        let failed = |error: &dyn std::fmt::Display| {
            Failure::request(format!("cannot write {}", path.display())).because(error)
        };
        let text = toml::to_string_pretty(self).map_err(|error| failed(&error))?;
        let draft = path.with_extension("toml.new");
        fs::create_dir_all(&places.settings)
            .and_then(|()| fs::write(&draft, text))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|error| failed(&error))
    }

    fn path(places: &Places) -> PathBuf {
        places.settings.join("velo.toml")
    }

    fn ensure_known(&self, name: &str) -> Outcome {
        if self.contexts.contains_key(name) {
            return Ok(());
        }
        Err(Failure::request(format!("there is no context `{name}`"))
            .hint("velo context list")
            .hint(format!("velo context add {name} --bootstrap-server HOST:PORT")))
    }
}

impl ContextCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the settings file cannot be read or written, or the name is unknown.
    pub fn run(self, context: &Context) -> Outcome {
        let mut settings = Settings::load(&context.places)?;
        match self {
            ContextCommand::List => return list(&settings, context),
            ContextCommand::Add(args) => {
                context.connection.servers()?;
                let cluster = NamedCluster {
                    bootstrap_server: context.connection.bootstrap().to_owned(),
                    command_config: absolute(context.command_config.as_ref())?,
                };
                context.ui.say(format!(
                    "Context `{}` is {}.",
                    args.name, cluster.bootstrap_server
                ));
                settings.current.get_or_insert_with(|| args.name.clone());
                settings.contexts.insert(args.name, cluster);
            }
            ContextCommand::Use(args) => {
                settings.ensure_known(&args.name)?;
                context.ui.say(format!("Commands now talk to `{}`.", args.name));
                settings.current = Some(args.name);
            }
            ContextCommand::Remove(args) => {
                settings.ensure_known(&args.name)?;
                settings.contexts.remove(&args.name);
                settings.current = settings.current.filter(|current| *current != args.name);
                context.ui.say(format!("Context `{}` is forgotten.", args.name));
            }
        }
        settings.save(&context.places)
    }
}

fn absolute(path: Option<&PathBuf>) -> Outcome<Option<PathBuf>> {
    path.map(|path| {
        fs::canonicalize(path)
            .map_err(|error| Failure::usage(format!("cannot read {}", path.display())).because(error))
    })
    .transpose()
}

fn list(settings: &Settings, context: &Context) -> Outcome {
    let is_current = |name: &String| settings.current.as_ref() == Some(name);
    if context.ui.format == OutputFormat::Json {
        let all: Vec<_> = settings
            .contexts
            .iter()
            .map(|(name, cluster)| {
                json!({
                    "name": name, "current": is_current(name), "bootstrap_server": cluster.bootstrap_server,
                    "command_config": cluster.command_config,
                })
            })
            .collect();
        return context.ui.line(serde_json::Value::from(all).to_string());
    }
    for (name, cluster) in &settings.contexts {
        let mark = if is_current(name) { "*" } else { " " };
        context.ui.line(match context.ui.format {
            OutputFormat::Plain => format!("{name}\t{}", cluster.bootstrap_server),
            _ => format!("{mark} {name}  {}", cluster.bootstrap_server),
        })?;
    }
    Ok(())
}
