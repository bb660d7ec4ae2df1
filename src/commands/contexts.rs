//! `velo context`: named clusters, so that no address has to be typed twice.

use super::join::JoinArgs;
use super::{Address, Context, candidates};
use crate::bom;
use crate::failure::{Failure, Outcome};
use crate::kafka::Connection;
use crate::nearest::nearest;
use crate::places::Places;
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, text};
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
    /// Join the cluster of a class: remember it, if it answers, and make it the one that commands talk to
    Join(JoinArgs),
    /// Make a remembered cluster the one that commands talk to
    Use(NameArgs),
    /// Show which cluster commands talk to, or one that is remembered
    Show(ShowArgs),
    /// List the remembered clusters
    List,
    /// Forget a cluster
    Remove(NameArgs),
}

/// Options of `velo context add`; the properties are `--command-config`'s.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name of the cluster
    pub name: String,
    /// Its brokers to ask first [default: those of --bootstrap-server]
    #[arg(value_name = "HOST:PORT,…")]
    pub address: Option<String>,
    /// Replace a cluster that is remembered under this name already
    #[arg(long)]
    pub force: bool,
}

/// A remembered cluster's name.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Name of the cluster
    #[arg(add = candidates::contexts())]
    pub name: String,
}

/// Options of `velo context show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Name of the cluster [default: the one that commands talk to now]
    #[arg(add = candidates::contexts())]
    pub name: Option<String>,
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

    /// The cluster of that name; without one, the cluster in use, if there is one.
    ///
    /// # Errors
    /// When there is no cluster of that name.
    pub fn chosen(&self, name: Option<&str>) -> Outcome<Option<(&str, &NamedCluster)>> {
        match name {
            Some(name) => self.named(name).map(Some),
            None => Ok(self.current.as_deref().and_then(|name| self.named(name).ok())),
        }
    }

    fn named(&self, name: &str) -> Outcome<(&str, &NamedCluster)> {
        let found = self.contexts.get_key_value(name);
        found
            .map(|(name, cluster)| (name.as_str(), cluster))
            .ok_or_else(|| self.unknown(name))
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

    fn unknown(&self, name: &str) -> Failure {
        let failure = Failure::request(format!("there is no context `{name}`"));
        let failure = match nearest(name, self.contexts.keys().map(String::as_str)) {
            Some(near) => failure.hint(format!("did you mean `{near}`? `velo context list` shows all")),
            None => failure.hint("velo context list"),
        };
        failure.hint(format!("velo context add {name} --bootstrap-server HOST:PORT"))
    }

    /// Remembers a cluster; the first one is the one in use.
    fn add(&mut self, args: AddArgs, cluster: NamedCluster) -> Outcome {
        let known = self.contexts.get(&args.name);
        if let Some(known) = known.filter(|known| **known != cluster && !args.force) {
            let name = &args.name;
            return Err(Failure::request(format!("there is a context `{name}` already"))
                .because(format!("it is {}", known.bootstrap_server))
                .hint(format!(
                    "velo context add {name} --force --bootstrap-server {}",
                    cluster.bootstrap_server
                ))
                .hint("or choose another name; `velo context list` shows those that are taken"));
        }
        self.current.get_or_insert_with(|| args.name.clone());
        self.contexts.insert(args.name, cluster);
        Ok(())
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
            ContextCommand::Show(args) => return show(&settings, args.name.as_deref(), context),
            ContextCommand::Add(args) => {
                let cluster = args.cluster(context)?;
                let said = format!("Context `{}` is {}.", args.name, cluster.bootstrap_server);
                settings.add(args, cluster)?;
                context.ui.say(said);
            }
            ContextCommand::Join(args) => {
                let config = absolute(context.command_config.as_ref())?;
                args.run(&mut settings, config.as_deref(), context)?;
            }
            ContextCommand::Use(args) => {
                settings.named(&args.name)?;
                context.ui.say(format!("Commands now talk to `{}`.", args.name));
                settings.current = Some(args.name);
            }
            ContextCommand::Remove(args) => {
                settings.named(&args.name)?;
                settings.contexts.remove(&args.name);
                settings.current = settings.current.filter(|current| *current != args.name);
                context.ui.say(format!("Context `{}` is forgotten.", args.name));
            }
        }
        settings.save(&context.places)
    }
}

impl AddArgs {
    /// The cluster that is meant: by the address beside the name, else by the options of every command.
    ///
    /// # Errors
    /// When the address is none, or two are typed.
    fn cluster(&self, context: &Context) -> Outcome<NamedCluster> {
        let connection = match &self.address {
            None => context.connection.clone(),
            Some(address) => {
                let other = context.connection.bootstrap();
                if context.address == Address::Option && other != address {
                    return Err(Failure::usage("two addresses are named")
                        .because(format!(
                            "{address} beside the name, {other} by --bootstrap-server"
                        ))
                        .hint(format!("velo context add {} {address}", self.name)));
                }
                Connection::new(address, context.command_config.as_deref())?
            }
        };
        connection.servers()?;
        Ok(NamedCluster {
            bootstrap_server: connection.bootstrap().to_owned(),
            command_config: absolute(context.command_config.as_ref())?,
        })
    }
}

fn absolute(path: Option<&PathBuf>) -> Outcome<Option<PathBuf>> {
    path.map(|path| {
        fs::canonicalize(path)
            .map_err(|error| Failure::usage(format!("cannot read {}", path.display())).because(error))
    })
    .transpose()
}

/// The cluster of that name, else the one that commands talk to now, whatever names it.
fn show(settings: &Settings, name: Option<&str>, context: &Context) -> Outcome {
    let (name, cluster) = match name {
        Some(name) => {
            let (name, cluster) = settings.named(name)?;
            (Some(name.to_owned()), cluster.clone())
        }
        None => {
            context.connection.servers()?;
            (
                context.address.context().map(str::to_owned),
                NamedCluster {
                    bootstrap_server: context.connection.bootstrap().to_owned(),
                    command_config: context.command_config.clone(),
                },
            )
        }
    };
    let value = json!({
        "name": name, "bootstrap_server": cluster.bootstrap_server, "command_config": cluster.command_config,
    });
    if name.is_none() {
        context.ui.say(match &settings.current {
            Some(current) => format!(
                "Not the context `{current}`, which is in use: --bootstrap-server or VELO_BOOTSTRAP_SERVER names another \
                 address."
            ),
            None => "No context is in use; this is the address that commands talk to.".to_owned(),
        });
    }
    context.ui.show(&value, || {
        let mut grid = Grid::new([text("NAME"), text("ADDRESS"), text("PROPERTIES")]);
        let config = cluster.command_config.as_ref();
        grid.row([
            name.clone().unwrap_or_else(|| "-".to_owned()),
            cluster.bootstrap_server.clone(),
            config.map_or_else(|| "-".to_owned(), |path| path.display().to_string()),
        ]);
        grid
    })
}

fn list(settings: &Settings, context: &Context) -> Outcome {
    let is_current = |name: &String| settings.current.as_ref() == Some(name);
    if context.ui.is_json() {
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
        return context.ui.json(&all);
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
