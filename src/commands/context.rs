//! What every command is given: where the cluster is, how to print, which language.

use super::contexts::Settings;
use crate::cli::Global;
use crate::failure::Outcome;
use crate::i18n::Lang;
use crate::kafka::Connection;
use crate::places::Places;
use crate::ui::{OutputChoice, OutputFormat, Ui};
use std::path::PathBuf;

/// The resolved global options.
#[derive(Debug, Clone)]
pub struct Context {
    /// How to reach the cluster.
    pub connection: Connection,
    /// The file of connection properties, if one was named.
    pub command_config: Option<PathBuf>,
    /// Where data and settings live.
    pub places: Places,
    /// How to print.
    pub ui: Ui,
    /// Language of the course.
    pub lang: Lang,
    /// Whether the user named a cluster, by option, environment or context (the course asks before it starts one).
    pub cluster_was_named: bool,
}

impl Context {
    /// Resolves the global options: an option wins over the environment, that over the current context.
    pub fn new(global: Global) -> Outcome<Self> {
        let places = Places::from_environment()?;
        let settings = Settings::load(&places)?;
        let named = settings.current().filter(|_| global.bootstrap_server.is_none());
        let bootstrap = global
            .bootstrap_server
            .or_else(|| named.map(|named| named.bootstrap_server.clone()));
        let command_config = global
            .command_config
            .or_else(|| named.and_then(|named| named.command_config.clone()));
        let cluster_was_named = bootstrap.is_some();
        let connection = Connection::resolve(bootstrap.as_deref(), command_config.as_deref())?;
        Ok(Context {
            connection,
            command_config,
            places,
            ui: Ui::new(
                global
                    .output
                    .map_or(OutputFormat::Table, OutputChoice::for_results),
                global.verbose,
                global.quiet,
            ),
            lang: global.lang.unwrap_or_else(Lang::from_locale),
            cluster_was_named,
        })
    }
}
