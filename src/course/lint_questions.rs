//! What is wrong with a lesson's questions, and with the beliefs that they are said to show.

use super::lint::{Typeable, untypeable};
use super::model::{Act, Lesson, Step};
use super::prose::{QuestionProse, StepProse};
use super::question::{Given, Kind, MOST_LINES, Question};

/// What is wrong with how a question is answered.
pub(super) fn structure(lesson: &Lesson, question: &Question, typeable: Typeable<'_>) -> Vec<String> {
    let Kind::Order { lines, stray } = &question.kind else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    let mut solution = lesson
        .steps
        .iter()
        .flat_map(|step| &step.acts)
        .filter_map(Act::command);
    for line in lines {
        if !solution.any(|command| command == line) {
            wrong.push(format!(
                "`{line}` is no line of the solution after those before it"
            ));
            break;
        }
    }
    if lines.contains(stray) {
        wrong.push(format!("`{stray}` belongs"));
    }
    wrong.extend(untypeable(stray, typeable));
    wrong
        .into_iter()
        .map(|sentence| format!("question `{}`: {sentence}", question.id))
        .collect()
}

/// Lines can be put in order where there are several, and each can be chosen by a digit.
fn too_many(question: &Question) -> Option<String> {
    let Kind::Order { lines, .. } = &question.kind else {
        return None;
    };
    (!(2..MOST_LINES).contains(&lines.len()))
        .then(|| format!("has {} lines; two to {} are wanted", lines.len(), MOST_LINES - 1))
}

/// What is wrong with the texts of a step's questions.
pub(super) fn texts(step: &Step, text: &StepProse) -> Vec<String> {
    let mut wrong = Vec::new();
    for question in &step.questions {
        match text.questions.get(&question.id) {
            None => wrong.push(format!("question `{}` has no text", question.id)),
            Some(asked) => wrong.extend(one(question, asked)),
        }
    }
    for id in text.questions.keys() {
        if !step.questions.iter().any(|question| question.id == *id) {
            wrong.push(format!("question `{id}` is not in lesson.toml"));
        }
    }
    wrong
}

/// What is wrong with a question as it is asked, wherever it comes from.
pub(super) fn one(question: &Question, asked: &QuestionProse) -> Vec<String> {
    let mut wrong = Vec::new();
    let options = asked.options.len();
    match question.kind {
        Kind::Choose(answer) if !(1..=options).contains(&answer) || options < 2 => {
            wrong.push(format!("answer {answer} of {options}"));
        }
        Kind::Choose(_) => {}
        Kind::Type { .. } | Kind::Order { .. } if options > 0 => {
            wrong.push("has answers to choose from, and wants none".to_owned());
        }
        Kind::Type { .. } | Kind::Order { .. } => {}
    }
    if asked.answer.is_empty() {
        wrong.push("has no explanation".to_owned());
    }
    wrong.extend(too_many(question));
    wrong
        .into_iter()
        .map(|sentence| format!("question `{}`: {sentence}", question.id))
        .collect()
}

/// What is wrong with the beliefs that the lesson's questions are said to show.
pub(super) fn beliefs(lesson: &Lesson) -> Vec<String> {
    let mut wrong = Vec::new();
    for belief in &lesson.beliefs {
        for shows in belief.shows.iter().filter(|shows| shows.lesson == lesson.id) {
            let place = format!("belief `{}`: step `{}`", belief.id, shows.step);
            let step = lesson.step(&shows.step);
            let asked = step.and_then(|step| step.questions.iter().find(|asked| asked.id == shows.question));
            let Some(asked) = asked else {
                wrong.push(format!("{place} has no question `{}`", shows.question));
                continue;
            };
            let options = lesson.languages.first().and_then(|lang| {
                let step = lesson.prose(*lang).steps.get(&shows.step)?;
                Some(step.questions.get(&shows.question)?.options.len())
            });
            for answer in &shows.answers {
                if !can_be_wrong(asked, *answer, options.unwrap_or(0)) {
                    wrong.push(format!(
                        "{place}: answer {answer} of `{}` is right, or none",
                        asked.id
                    ));
                }
            }
        }
    }
    wrong
}

/// Whether somebody can give this answer, and be wrong.
fn can_be_wrong(question: &Question, answer: usize, options: usize) -> bool {
    match &question.kind {
        Kind::Choose(_) if !(1..=options).contains(&answer) => false,
        Kind::Choose(_) | Kind::Type { .. } => question.answer(None) != Given::Number(answer),
        Kind::Order { lines, .. } => answer == lines.len() + 1,
    }
}
