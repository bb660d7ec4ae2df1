//! `velo quiz`: the lessons' questions.

use super::lesson::{Terminal, language};
use super::{Context, candidates};
use crate::course::load::Source;
use crate::course::quiz;
use crate::course::render::Page;
use crate::failure::Outcome;
use crate::i18n::Words;
use clap::Args;

/// Options of `velo quiz`.
#[derive(Debug, Args)]
pub struct QuizArgs {
    /// Only the questions of this lesson
    #[arg(add = candidates::lessons())]
    lesson: Option<String>,
}

/// Runs it.
///
/// # Errors
/// When there is no such lesson.
pub fn run(args: &QuizArgs, context: &Context) -> Outcome {
    let words = Words::of(language(context)?);
    ask(args, &words, context).map_err(|failure| failure.told_in(words.lang()))
}

fn ask(args: &QuizArgs, words: &Words, context: &Context) -> Outcome {
    let lessons = match &args.lesson {
        Some(name) => vec![Source::Embedded.lesson(name, words)?],
        None => Source::Embedded.lessons()?,
    };
    let mut talk = Terminal::open(context.ui)?;
    quiz::ask(&lessons, words, Page::of_stdout(), &mut talk)?;
    Ok(())
}
