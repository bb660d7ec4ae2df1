//! `velo quiz`: the lessons' questions, or a class's own.

use super::lesson::{Terminal, language};
use super::{Context, candidates};
use crate::course::load::Source;
use crate::course::model::Lesson;
use crate::course::own;
use crate::course::progress::Progress;
use crate::course::question::{Given, mixed};
use crate::course::quiz::{self, Place, Quiz, Score};
use crate::course::render::Page;
use crate::course::report;
use crate::course::review::Review;
use crate::failure::Outcome;
use crate::i18n::Words;
use crate::ui::OutputFormat;
use clap::Args;
use jiff::Zoned;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Options of `velo quiz`.
#[derive(Debug, Args)]
pub struct QuizArgs {
    /// Only the questions of this lesson, in its order [default: those of all lessons, mixed]
    #[arg(add = candidates::lessons())]
    lesson: Option<String>,
    /// A class's own questions from this file, and no others
    #[arg(long, value_name = "FILE", conflicts_with = "lesson")]
    questions: Option<PathBuf>,
    /// Only what was missed and is due again: after 1, 3, 7 and 21 days
    #[arg(long)]
    due: bool,
    /// Mix as this number says [default: another way each time]
    #[arg(long, value_name = "N", env = "VELO_SEED")]
    seed: Option<u64>,
    /// The marks as JSON on stdout, whatever `--output` says; the questions on stderr
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// When there is no such lesson or file.
pub fn run(args: &QuizArgs, context: &Context) -> Outcome {
    let words = Words::of(language(context)?);
    ask(args, &words, context).map_err(|failure| failure.told_in(words.lang()))
}

fn ask(args: &QuizArgs, words: &Words, context: &Context) -> Outcome {
    let seed = args.seed.unwrap_or_else(rand::random);
    let lessons = lessons(args, words)?;
    let file = Progress::path(&context.places.state);
    let today = Zoned::now().date();
    let mut places = quiz::questions(&lessons);
    if args.due {
        let progress = Progress::load(&file)?;
        places.retain(|place| is_due(place, &progress, today));
    }
    if lessons.len() > 1 {
        let order = mixed(places.len(), seed, "");
        places = order
            .iter()
            .filter_map(|at| places.get(at - 1).copied())
            .collect();
    }
    let mut ui = context.ui;
    if args.json {
        ui.format = OutputFormat::Json;
    }
    if places.is_empty() {
        ui.say(words.say("quiz.nothing-due"));
    }
    let mut marks = Marks::default();
    if !places.is_empty() {
        let mut talk = Terminal::open(ui)?;
        if ui.is_json() {
            talk = talk.beside_data();
        }
        let quiz = Quiz {
            words,
            page: Page::of_stdout(),
            seed,
        };
        marks.score = quiz.ask(&places, &mut talk, &mut |place, given| {
            marks.questions.push(mark(place, given));
            note(&file, place, *given == place.question.answer(None), today)
        })?;
    }
    if ui.is_json() {
        return ui.json(&marks.json());
    }
    Ok(())
}

/// Where the questions come from.
fn lessons(args: &QuizArgs, words: &Words) -> Outcome<Vec<Lesson>> {
    match (&args.questions, &args.lesson) {
        (Some(file), _) => Ok(vec![own::read(file)?]),
        (None, Some(name)) => Ok(vec![Source::Embedded.lesson(name, words)?]),
        (None, None) => Source::Embedded.lessons(),
    }
}

/// How a quiz came out, question by question.
#[derive(Default)]
struct Marks {
    score: Score,
    questions: Vec<Value>,
}

impl Marks {
    fn json(&self) -> Value {
        json!({ "right": self.score.right, "given": self.score.given, "questions": self.questions })
    }
}

/// A question as the report has it, with its place.
fn mark(place: &Place<'_>, given: &Given) -> Value {
    let answer = place.question.answer(None);
    let mut marked = report::marked(place.lesson, place.step, place.question, Some(given), &answer);
    if let Some(marked) = marked.as_object_mut() {
        marked.insert("lesson".to_owned(), json!(place.lesson.id));
        marked.insert("step".to_owned(), json!(place.step.id));
    }
    marked
}

/// What was missed here before and is due; and what was missed in a lesson, or refutes a belief that a learner's cluster showed
/// there, and was never asked here since.
fn is_due(place: &Place<'_>, progress: &Progress, today: Date) -> bool {
    match progress.reviews.get(&place.key()) {
        Some(review) => review.is_due(today),
        None => {
            let mine = progress.lessons.get(&place.lesson.id);
            let step = mine.and_then(|mine| mine.steps.get(&place.step.id));
            let missed = step.and_then(|step| step.is_right(place.question)) == Some(false);
            missed || mine.is_some_and(|mine| mine.beliefs().any(|belief| place.refutes(belief)))
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
