//! Where a learner stands: for the learner as tables, for a teacher as JSON.

use super::model::{Lesson, Step};
use super::progress::{LessonProgress, Progress, State};
use super::question::{Given, Question};
use crate::i18n::Words;
use serde_json::{Value, json};

/// One line of `velo lesson list`: id, title, how many steps are passed of how many.
pub fn summary(lesson: &Lesson, progress: &Progress, words: &Words) -> [String; 4] {
    let passed = progress
        .lessons
        .get(&lesson.id)
        .map_or(0, |progress| progress.passed(lesson));
    let current = progress.current.as_deref() == Some(lesson.id.as_str());
    [
        lesson.id.clone(),
        lesson.prose(words.lang()).title.clone(),
        format!("{passed}/{}", lesson.steps.len()),
        words
            .say(if current { "list.current" } else { "list.other" })
            .to_owned(),
    ]
}

/// One line of `velo lesson status`: mark, step, title, state in words.
pub fn step_line(
    lesson: &Lesson,
    step: &Step,
    progress: &LessonProgress,
    here: bool,
    words: &Words,
) -> [String; 4] {
    let title = lesson
        .prose(words.lang())
        .steps
        .get(&step.id)
        .map_or(String::new(), |prose| prose.title.clone());
    let state = match progress.state(step) {
        State::Passed if progress.passed_an_older(step) => "status.passed-older",
        State::Passed => "status.passed",
        State::Skipped => "status.skipped",
        State::Open => "status.open",
    };
    [
        if here { ">" } else { "" }.to_owned(),
        step.id.clone(),
        title,
        words.say(state).to_owned(),
    ]
}

/// Everything, for a teacher: stable names, documented in `docs/lessons.md`.
pub fn json(lessons: &[Lesson], progress: &Progress, words: &Words) -> Value {
    let nothing = LessonProgress::default();
    let lessons: Vec<Value> = lessons
        .iter()
        .map(|lesson| {
            let done = progress.lessons.get(&lesson.id).unwrap_or(&nothing);
            json!({
                "lesson": lesson.id,
                "title": lesson.prose(words.lang()).title,
                "after": lesson.after,
                "prefix": done.prefix,
                "cluster": done.bootstrap,
                "passed": done.passed(lesson),
                "steps": steps(lesson, done),
            })
        })
        .collect();
    json!({ "current": progress.current, "lessons": lessons })
}

/// The same with whose it is and the day it was made.
pub fn signed(
    student: Option<&str>,
    date: &str,
    lessons: &[Lesson],
    progress: &Progress,
    words: &Words,
) -> Value {
    let mut value = json!({ "student": student, "date": date });
    if let (Some(signed), Value::Object(all)) = (value.as_object_mut(), json(lessons, progress, words)) {
        signed.extend(all);
    }
    value
}

/// A lesson's steps, as the report has them.
pub fn steps(lesson: &Lesson, progress: &LessonProgress) -> Vec<Value> {
    let steps = lesson.steps.iter();
    steps.map(|step| step_json(lesson, step, progress)).collect()
}

fn step_json(lesson: &Lesson, step: &Step, progress: &LessonProgress) -> Value {
    let done = progress.steps.get(&step.id).cloned().unwrap_or_default();
    let questions = step.questions.iter();
    let questions: Vec<Value> = questions
        .map(|question| {
            let answer = question.answer(done.found(question));
            marked(lesson, step, question, done.given(question).as_ref(), &answer)
        })
        .collect();
    json!({
        "step": step.id,
        "state": done.state,
        "revision": done.revision,
        "current_revision": step.revision,
        "when": (!done.when.is_empty()).then_some(done.when),
        "hints": done.hints,
        "beliefs": done.beliefs,
        "questions": questions,
    })
}

/// A question with the answer that was given, if one was, and the right one.
pub fn marked(
    lesson: &Lesson,
    step: &Step,
    question: &Question,
    given: Option<&Given>,
    answer: &Given,
) -> Value {
    let right = given.map(|given| given == answer);
    let believed = given
        .filter(|_| right == Some(false))
        .and_then(|given| lesson.belief(&step.id, &question.id, given));
    json!({
        "question": question.id,
        "kind": question.kind_name(),
        "given": given,
        "answer": given.map(|_| answer),
        "right": right,
        "belief": believed.map(|belief| &belief.id),
    })
}
