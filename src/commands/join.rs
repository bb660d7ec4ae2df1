//! `velo context join`: a student's one line to the cluster of the class.

use super::Context;
use super::address::VARIABLE;
use super::contexts::{NamedCluster, Settings};
use super::lesson::language;
use crate::failure::{Failure, Kind, Outcome};
use crate::i18n::Words;
use crate::kafka::{Admin, Connection};
use clap::Args;
use std::path::Path;

/// Options of `velo context join`.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// Where the cluster is, as it stands on the board
    #[arg(value_name = "HOST:PORT,…")]
    servers: String,
    /// Remember it under this name, whatever was remembered under it before
    #[arg(long, default_value = "class")]
    name: String,
}

impl JoinArgs {
    /// Makes sure that the cluster answers, remembers it, makes it the one in use, and says what to type next.
    ///
    /// # Errors
    /// When it does not answer, or tells its clients to come where nothing does: nothing is remembered then.
    pub(super) fn run(&self, settings: &mut Settings, config: Option<&Path>, context: &Context) -> Outcome {
        let words = Words::of(language(context)?);
        let waiting = context.ui.waiting_for("an answer from the cluster");
        let brokers = self
            .answering(config)
            .map_err(|failure| failure.told_in(words.lang()))?;
        drop(waiting);
        let cluster = NamedCluster {
            bootstrap_server: self.servers.clone(),
            command_config: config.map(Path::to_owned),
        };
        let before = settings.contexts.insert(self.name.clone(), cluster.clone());
        settings.current = Some(self.name.clone());
        let said = [
            ("bootstrap", self.servers.as_str()),
            ("n", &brokers.to_string()),
            ("name", &self.name),
        ];
        context.ui.say(words.fill("class.joined", &said));
        if let Some(before) = before.filter(|before| *before != cluster) {
            let said = [
                ("name", self.name.as_str()),
                ("bootstrap", &before.bootstrap_server),
            ];
            context.ui.say(words.fill("class.joined-before", &said));
        }
        for variable in [VARIABLE, super::address::CONTEXT_VARIABLE] {
            let other = |value: String| !value.is_empty() && value != self.servers && value != self.name;
            if std::env::var(variable).is_ok_and(other) {
                context
                    .ui
                    .say(words.fill("class.joined-unset", &[("variable", variable)]));
            }
        }
        context.ui.say(words.say("class.joined-next"));
        Ok(())
    }

    /// How many brokers there are, once one of them answers where all clients are told to come.
    fn answering(&self, config: Option<&Path>) -> Outcome<usize> {
        let connection = Connection::new(&self.servers, config)?;
        let told = |failure: Failure| match failure.kind() {
            Kind::Unreachable => failure.hint(format!("velo doctor -b {}", self.servers)),
            _ => failure,
        };
        let brokers = Admin::connect(&connection)
            .map_err(told)?
            .metadata()
            .map_err(told)?
            .brokers;
        let addresses: Vec<String> = brokers.iter().map(|broker| broker.address()).collect();
        let addresses = addresses.join(",");
        Connection::new(&addresses, config)?.reach().map_err(|failure| {
            let what = format!(
                "a cluster answers at {}, but sends its clients to {addresses}, where none does",
                self.servers
            );
            told(Failure::new(failure.kind(), what).because(failure.in_a_line()))
        })?;
        Ok(brokers.len())
    }
}
