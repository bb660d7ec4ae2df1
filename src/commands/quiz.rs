//! `velo quiz`: the lessons' questions.

use super::lesson::{Terminal, language};
use super::{Context, candidates};
use crate::course::load::Source;
use crate::course::progress::Progress;
use crate::course::quiz::{self, Place};
use crate::course::render::Page;
use crate::course::review::Review;
use crate::failure::Outcome;
use crate::i18n::Words;
use clap::Args;
use jiff::Zoned;
use jiff::civil::Date;
use std::path::Path;

/// Options of `velo quiz`.
#[derive(Debug, Args)]
pub struct QuizArgs {
    /// Only the questions of this lesson
    #[arg(add = candidates::lessons())]
    lesson: Option<String>,
    /// Only what was missed and is due again: after 1, 3, 7 and 21 days
    #[arg(long)]
    due: bool,
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
    let file = Progress::path(&context.places.state);
    let today = Zoned::now().date();
    let mut places = quiz::questions(&lessons);
    if args.due {
        let progress = Progress::load(&file)?;
        places.retain(|place| is_due(place, &progress, today));
        if places.is_empty() {
            context.ui.say(words.say("quiz.nothing-due"));
            return Ok(());
        }
    }
    let mut talk = Terminal::open(context.ui)?;
    quiz::ask(
        &places,
        words,
        Page::of_stdout(),
        &mut talk,
        &mut |place, right| note(&file, place, right, today),
    )?;
    Ok(())
}

/// What was missed here before and is due, and what was missed in a lesson and never asked here since.
fn is_due(place: &Place<'_>, progress: &Progress, today: Date) -> bool {
    match progress.reviews.get(&place.key()) {
        Some(review) => review.is_due(today),
        None => {
            let mine = progress.lessons.get(&place.lesson.id);
            let step = mine.and_then(|mine| mine.steps.get(&place.step.id));
            let given = step.and_then(|step| step.answers.get(&place.question.id));
            given.is_some_and(|given| *given != place.question.answer)
        }
    }
}

/// Notes when a question that was missed, now or before, comes back.
fn note(file: &Path, place: &Place<'_>, right: bool, today: Date) -> Outcome {
    let mut progress = Progress::load(file)?;
    let key = place.key();
    let known = progress.reviews.get(&key).cloned();
    let missed_before = is_due(place, &progress, today);
    let next = match (right, known) {
        (false, _) => Some(Review::missed(today)),
        // Answered before its day, it waits for that day all the same.
        (true, Some(review)) if !review.is_due(today) => Some(review),
        (true, Some(review)) => review.answered(today),
        (true, None) if missed_before => Some(Review::missed(today)),
        (true, None) => return Ok(()),
    };
    match next {
        Some(review) => progress.reviews.insert(key, review),
        // Learnt, and kept as such: a miss in a lesson long ago does not bring it back.
        None => progress.reviews.insert(key, Review::learnt()),
    };
    progress.save(file)
}
