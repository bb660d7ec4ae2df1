//! What every command is given: where the cluster is, how to print, which language.

use super::address::Address;
use super::contexts::Settings;
use crate::cli::Global;
use crate::failure::{Failure, Outcome};
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
    /// What decided which cluster that is.
    pub address: Address,
    /// The file of connection properties, if one was named.
    pub command_config: Option<PathBuf>,
    /// Where data and settings live.
    pub places: Places,
    /// How to print.
    pub ui: Ui,
    /// Language of the course.
    pub lang: Lang,
}

impl Context {
    /// Resolves the global options.
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
                global
                    .output
                    .map_or(OutputFormat::Table, OutputChoice::for_results),
                global.verbose,
                global.quiet,
            ),
            lang: global.lang.unwrap_or_else(Lang::from_locale),
        })
    }

    /// Adds to the failure of a cluster that did not answer what to type about it.
    pub fn advise(&self, failure: Failure) -> Failure {
        self.address.advise(failure, &self.connection, &self.places)
    }
}
