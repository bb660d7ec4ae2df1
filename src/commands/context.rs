//! What every command is given: where the cluster is, how to print, which language.

use super::address::Address;
use super::contexts::Settings;
use crate::cli::Global;
use crate::failure::{Failure, Outcome};
use crate::i18n::Lang;
use crate::kafka::Connection;
use crate::places::Places;
use crate::ui::{OutputFormat, Ui};
use std::path::PathBuf;

/// The resolved global options.
#[derive(Debug, Clone)]
pub struct Context {
    /// How to reach the cluster.
    pub connection: Connection,
    /// What decided which cluster that is.
    pub address: Address,
    /// The file of connection properties, if one was named.
    pub command_config: Option<PathBuf>,
    /// Where data and settings live.
    pub places: Places,
    /// How to print.
    pub ui: Ui,
    /// `--output` as it was given, for commands with a default of their own.
    pub output: Option<OutputFormat>,
    /// Language of the course: the one that was asked for, else that of the locale.
    pub lang: Lang,
    /// The language that was asked for, by option or environment.
    pub lang_asked: Option<Lang>,
}

impl Context {
    /// Resolves the global options, as [`Global::settled`] left them.
    ///
    /// # Errors
    /// When the settings file, or a cluster that is named, cannot be used.
    pub fn new(global: Global) -> Outcome<Self> {
        let places = Places::from_environment()?;
        let settings = Settings::load(&places)?;
        let resolved = Address::resolve(&global, &settings, &places)?;
        Ok(Context {
            connection: resolved.connection,
            address: resolved.address,
            command_config: resolved.command_config,
            places,
            ui: Ui::new(
                global.output.unwrap_or(OutputFormat::Table),
                global.verbose,
                global.quiet,
            ),
            output: global.output,
            lang: global.lang.unwrap_or_else(Lang::from_locale),
            lang_asked: global.lang,
        })
    }

    /// Adds to the failure of a cluster that did not answer what to type about it.
    pub fn advise(&self, failure: Failure) -> Failure {
        self.address.advise(failure, &self.connection, &self.places)
    }
}
