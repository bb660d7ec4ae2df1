//! `velo why`: what is likely behind something that does not go as expected, in words.

mod connect;
mod finding;
mod group;
mod topic;

pub use finding::FINDINGS;

use super::lesson::language;
use super::{Context, candidates};
use crate::failure::Outcome;
use crate::i18n::Words;
use clap::{Args, Subcommand};
use finding::Report;

/// What `velo why` ends with, for its help.
const EXIT_CODES: &str = "\
Exit codes: 0 when it could look, whatever it found; 1 when there is no such group or topic; 3 when no broker answers, and of \
`velo why connect` when some client would not get through.";

/// What to explain.
#[derive(Debug, Subcommand)]
pub enum WhyCommand {
    /// Why nothing arrives in a consumer group, or less than expected
    #[command(after_help = EXIT_CODES)]
    Group(GroupArgs),
    /// Why records stay or are gone, why one partition gets all, why copies are missing
    #[command(after_help = EXIT_CODES)]
    Topic(TopicArgs),
    /// Why a client does not get through to the cluster
    #[command(after_help = EXIT_CODES)]
    Connect,
}

/// Options of `velo why group`.
#[derive(Debug, Args)]
pub struct GroupArgs {
    /// Name of the group
    #[arg(value_name = "GROUP", add = candidates::groups())]
    name: String,
}

/// Options of `velo why topic`.
#[derive(Debug, Args)]
pub struct TopicArgs {
    /// Name of the topic
    #[arg(value_name = "TOPIC", add = candidates::topics())]
    name: String,
}

impl WhyCommand {
    /// Looks, and tells what was found.
    ///
    /// # Errors
    /// When there is no such thing, or the cluster does not answer.
    pub fn run(self, context: &Context) -> Outcome {
        let words = Words::of(language(context)?);
        self.tell(context, &words)
            .map_err(|failure| failure.told_in(words.lang()))
    }

    fn tell(&self, context: &Context, words: &Words) -> Outcome {
        match self {
            WhyCommand::Group(args) => {
                let findings = group::look(context, &args.name)?;
                Report::new("group", &args.name, findings)?.print(context.ui, words)
            }
            WhyCommand::Topic(args) => {
                let findings = topic::look(context, &args.name)?;
                Report::new("topic", &args.name, findings)?.print(context.ui, words)
            }
            WhyCommand::Connect => connect::tell(context, words),
        }
    }
}
