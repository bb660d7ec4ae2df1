//! Which cluster a command talks to, and what decided that: an option, the environment, the named context, the connection
//! properties, the cluster of this machine that runs, or nothing at all.

use super::cluster::ClusterFolder;
use super::cluster::nearby::{self, Meant, Running, WayOut};
use super::contexts::Settings;
use crate::cli::Global;
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::Connection;
use crate::kafka::probe::{Found, look};
use crate::places::Places;
use std::path::{Path, PathBuf};

/// The environment's word for `--bootstrap-server`.
pub const VARIABLE: &str = "VELO_BOOTSTRAP_SERVER";

/// The environment's word for `--context`.
pub const CONTEXT_VARIABLE: &str = "VELO_CONTEXT";

/// What decided which cluster a command talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `--bootstrap-server`
    Option,
    /// [`VARIABLE`]
    Variable,
    /// The context in use, of this name.
    Context(String),
    /// The context that `--context` or [`CONTEXT_VARIABLE`] names.
    Chosen(String),
    /// `bootstrap.servers` in this file of `--command-config`.
    File(PathBuf),
    /// The cluster of this machine that runs, in this folder.
    Running(ClusterFolder),
    /// Nothing: several clusters run on this machine.
    Undecided,
    /// Nothing: where a classroom cluster listens that was told nothing.
    Default,
}

/// An address, the properties to use with it, and what decided both.
pub struct Resolved {
    /// What decided.
    pub address: Address,
    /// How to reach the cluster.
    pub connection: Connection,
    /// The file of connection properties, if one was named.
    pub command_config: Option<PathBuf>,
}

impl Address {
    /// Decides: `--bootstrap-server` or its environment, the context of `--context` or its environment, the context in use, the
    /// connection properties. (A `--context` that is typed sets the environment's address aside before: see
    /// [`Global::settled`].)
    ///
    /// # Errors
    /// When what is named cannot be used.
    pub fn resolve(global: &Global, settings: &Settings, places: &Places) -> Outcome<Resolved> {
        let chosen = match &global.bootstrap_server {
            Some(_) => None,
            None => settings.chosen(global.context.as_deref())?,
        };
        let command_config = global
            .command_config
            .clone()
            .or_else(|| chosen.and_then(|(_, context)| context.command_config.clone()));
        let file = command_config.as_deref();
        let (address, connection) = match (&global.bootstrap_server, chosen) {
            (Some(servers), _) => (Self::typed(servers), Connection::new(servers, file)?),
            (None, Some((name, context))) => (
                Self::of_context(name, global),
                Connection::new(&context.bootstrap_server, file)?,
            ),
            (None, None) => Self::unnamed(file, places)?,
        };
        Ok(Resolved {
            address,
            connection,
            command_config,
        })
    }

    /// An option that says what the environment says anyway decides nothing.
    fn typed(servers: &str) -> Self {
        if std::env::var(VARIABLE).is_ok_and(|value| value == servers) {
            Address::Variable
        } else {
            Address::Option
        }
    }

    fn of_context(name: &str, global: &Global) -> Self {
        match global.context {
            Some(_) => Address::Chosen(name.to_owned()),
            None => Address::Context(name.to_owned()),
        }
    }

    /// The name of the context that decided; none when something else did.
    pub fn context(&self) -> Option<&str> {
        match self {
            Address::Context(name) | Address::Chosen(name) => Some(name),
            _ => None,
        }
    }

    fn unnamed(file: Option<&Path>, places: &Places) -> Outcome<(Self, Connection)> {
        if let Some(file) = file
            && let Some(servers) = Connection::servers_in(file)?
        {
            let connection = Connection::new(&servers, Some(file))?;
            return Ok((Address::File(file.to_owned()), connection));
        }
        Ok(match nearby::meant(places)? {
            Meant::This(running) => {
                let connection = Connection::new(&running.shape.bootstrap(), file)?;
                (Address::Running(running.folder), connection)
            }
            Meant::Several(all) => (Address::Undecided, Connection::nowhere(undecided(&all))),
            Meant::None => (
                Address::Default,
                Connection::new(Connection::DEFAULT_BOOTSTRAP, file)?,
            ),
        })
    }

    /// Whether the user named the cluster (the course asks before it starts one).
    pub fn is_named(&self) -> bool {
        match self {
            Address::Option
            | Address::Variable
            | Address::Context(_)
            | Address::Chosen(_)
            | Address::File(_) => true,
            Address::Running(_) | Address::Undecided | Address::Default => false,
        }
    }

    /// What decided, in words that go on after the address.
    pub fn words(&self) -> String {
        match self {
            Address::Option => "as --bootstrap-server says".to_owned(),
            Address::Variable => format!("as {VARIABLE} says"),
            Address::Context(name) | Address::Chosen(name) => format!("as the context `{name}` says"),
            Address::File(file) => format!("as bootstrap.servers in {} says", file.display()),
            Address::Running(folder) => {
                format!(
                    "the cluster of this machine that runs, in {}",
                    folder.root().display()
                )
            }
            Address::Undecided => "several clusters run on this machine".to_owned(),
            Address::Default => "nothing is named and no cluster of yours runs".to_owned(),
        }
    }

    /// What to type so that commands talk to the cluster of `folder` at `bootstrap`, unless they do so anyway.
    ///
    /// # Errors
    /// When it cannot be told what runs.
    pub fn how_to_mean(
        &self,
        bootstrap: &str,
        folder: &ClusterFolder,
        places: &Places,
    ) -> Outcome<Option<String>> {
        if self.is_named() {
            return Ok(Some(format!(
                "Commands talk to another cluster, {}; to this one with\n  --bootstrap-server {bootstrap}{}",
                self.words(),
                self.instead()
            )));
        }
        Ok(match nearby::meant(places)? {
            Meant::This(running) if running.shape.bootstrap() == bootstrap => None,
            _ => Some(format!(
                "Several clusters run; commands talk to this one ({}) with\n  --bootstrap-server {bootstrap}",
                folder.root().display()
            )),
        })
    }

    /// How to undo what decided, to go on after an option to type; empty where only another option can.
    fn instead(&self) -> String {
        match self {
            Address::Variable => format!(", or: unset {VARIABLE}"),
            Address::Chosen(name) if std::env::var(CONTEXT_VARIABLE).is_ok_and(|value| value == *name) => {
                format!(", or: unset {CONTEXT_VARIABLE}")
            }
            Address::Context(name) => format!(", or forget the context: velo context remove {name}"),
            _ => String::new(),
        }
    }

    /// What to type where no broker answers: nothing of it leads back here.
    ///
    /// # Errors
    /// When it cannot be told what runs.
    pub fn way_out(&self, connection: &Connection, places: &Places) -> Outcome<Option<String>> {
        let out = self.nearby(connection, places)?;
        Ok(match (&out, self) {
            (WayOut::Elsewhere(bootstrap), Address::Variable) => Some(format!(
                "unset {VARIABLE}    (the cluster of this machine serves at {bootstrap})"
            )),
            _ => out.to_type(),
        })
    }

    /// What can be done where no broker answers.
    ///
    /// # Errors
    /// When it cannot be told what runs.
    pub fn nearby(&self, connection: &Connection, places: &Places) -> Outcome<WayOut> {
        if *self == Address::Default {
            // Started on whatever port, a cluster is the one that is meant.
            let server = ("localhost".to_owned(), nearby::own_port(places)?);
            return nearby::way_out(places, &[server]);
        }
        nearby::way_out(places, &connection.servers()?)
    }

    /// Adds to the failure of a cluster that did not answer what to type about it.
    pub fn advise(&self, failure: Failure, connection: &Connection, places: &Places) -> Failure {
        if failure.kind() != Kind::Unreachable || !failure.hints().is_empty() {
            return failure;
        }
        // A broker that answers by now, or always did and was slow, is the doctor's.
        let answers = connection.servers().is_ok_and(|servers| {
            let mut servers = servers.iter();
            servers
                .any(|(host, port)| matches!(look(host, *port, connection), Found::Broker | Found::Listener))
        });
        // What cannot be told now, the doctor tells.
        let way_out = (!answers)
            .then(|| self.way_out(connection, places).ok())
            .flatten();
        match way_out.flatten() {
            Some(hint) => failure.hint(hint).hint("velo doctor"),
            None => failure.hint("velo doctor"),
        }
    }
}

/// The servers that commands of other terminals talk to, which are told nothing; `None` when several clusters run.
///
/// # Errors
/// When the settings file cannot be read, or it cannot be told what runs.
pub fn of_other_terminals(places: &Places) -> Outcome<Option<String>> {
    if let Some((_, context)) = Settings::load(places)?.chosen(None)? {
        return Ok(Some(context.bootstrap_server.clone()));
    }
    Ok(match nearby::meant(places)? {
        Meant::This(running) => Some(running.shape.bootstrap()),
        Meant::Several(_) => None,
        Meant::None => Some(Connection::DEFAULT_BOOTSTRAP.to_owned()),
    })
}

fn undecided(all: &[Running]) -> Failure {
    let where_each = |one: &Running| format!("{} in {}", one.shape.bootstrap(), one.folder.root().display());
    let listed: Vec<String> = all.iter().map(where_each).collect();
    all.iter().fold(
        Failure::usage("several clusters run on this machine; which one is meant?")
            .because(listed.join("; ")),
        |failure, one| failure.hint(format!("--bootstrap-server {}", one.shape.bootstrap())),
    )
}
