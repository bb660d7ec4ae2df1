//! What every command is given: where the cluster is, how to print, which language.

use crate::cli::Global;
use crate::failure::Outcome;
use crate::i18n::Lang;
use crate::kafka::Connection;
use crate::places::Places;
use crate::ui::{OutputFormat, Ui};

/// The resolved global options.
#[derive(Debug, Clone)]
pub struct Context {
    /// How to reach the cluster.
    pub connection: Connection,
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
        let cluster_was_named = global.bootstrap_server.is_some() || global.command_config.is_some();
        let connection = Connection::new(
            global
                .bootstrap_server
                .as_deref()
                .unwrap_or(Connection::DEFAULT_BOOTSTRAP),
            global.command_config.as_deref(),
        )?;
        Ok(Context {
            connection,
            places,
            ui: Ui::new(
                global.output.unwrap_or(OutputFormat::Table),
                global.verbose,
                global.quiet,
            ),
            lang: global.lang.unwrap_or_else(Lang::from_locale),
            cluster_was_named,
        })
    }
}
