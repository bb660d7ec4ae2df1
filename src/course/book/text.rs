//! A lesson as one Markdown text: what its reader sees step by step, one after the other.

use super::{Book, Form};
use crate::course::dress::Dress;
use crate::course::hint::{self, Face};
use crate::course::model::{Lesson, Step};
use crate::course::picture;
use crate::course::prose::StepProse;
use crate::course::question::Asked;

/// A lesson's text; pictures stand in it as in the lesson's own files.
pub(super) fn lesson(book: &Book<'_>, lesson: &Lesson) -> String {
    let dress = Dress::new(lesson, "", book.bootstrap);
    let prose = lesson.prose(book.lang(lesson));
    let mut parts = vec![format!("# {}", prose.title), start(book, lesson)];
    parts.push(dress.text(&prose.intro));
    for (number, step) in lesson.steps.iter().enumerate() {
        let Some(text) = prose.steps.get(&step.id) else {
            continue;
        };
        parts.push(format!("## {}. {}", number + 1, text.title));
        parts.push(dress.text(&text.body));
        parts.extend(questions(book, step, text).iter().map(|text| dress.text(text)));
        if book.solutions {
            parts.extend(solution(book, step, text).iter().map(|text| dress.text(text)));
        }
    }
    parts.push(format!("## {}", book.words.say("play.end")));
    parts.push(dress.text(&prose.end));
    parts.extend(files(book, lesson, &dress));
    parts.retain(|part| !part.trim().is_empty());
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

/// How the lesson is begun, what it builds on, and which brokers it needs.
fn start(book: &Book<'_>, lesson: &Lesson) -> String {
    let words = book.words;
    let command = format!("velo lesson start {}", lesson.id);
    let mut lines = vec![words.fill("book.start", &[("command", &command)])];
    if !lesson.brokers.is_empty() {
        let ids: Vec<String> = lesson.brokers.iter().map(i32::to_string).collect();
        let said = [("n", ids.len().to_string()), ("ids", ids.join(", "))];
        let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
        lines.push(words.fill("book.needs", &said));
    }
    lines.join("\n\n")
}

/// What is asked at a step; what is right only with the solutions.
fn questions(book: &Book<'_>, step: &Step, text: &StepProse) -> Vec<String> {
    let mut parts = Vec::new();
    for question in &step.questions {
        let Some(prose) = text.questions.get(&question.id) else {
            continue;
        };
        let asked = Asked::new(question, prose.options.len(), 0);
        let choices: Vec<String> = match asked.shuffled() {
            Some(lines) => lines.iter().map(|line| format!("`{line}`")).collect(),
            None => prose.options.clone(),
        };
        let choices = choices.iter().enumerate();
        let choices: Vec<String> = choices
            .map(|(number, choice)| format!("{}. {choice}", number + 1))
            .collect();
        parts.push(format!("{} {}", book.words.say("play.predict"), prose.text));
        parts.push(choices.join("\n"));
    }
    parts
}

/// What leads to the end of a step, and what is said there.
fn solution(book: &Book<'_>, step: &Step, text: &StepProse) -> Vec<String> {
    let words = book.words;
    let mut parts = Vec::new();
    let all = text.hints.len().to_string();
    for (number, hint) in text.hints.iter().enumerate() {
        let number = (number + 1).to_string();
        let title = words.fill("runner.hint", &[("n", &number), ("all", &all)]);
        parts.push(format!("{title} {hint}"));
    }
    let commands: Vec<String> = [Face::Velo, Face::Kafka]
        .into_iter()
        .map(|face| hint::solution(step, face).join("\n"))
        .filter(|commands| !commands.trim().is_empty())
        .collect();
    if !commands.is_empty() {
        parts.push(format!("### {}", words.say("book.solution")));
        parts.extend(commands.iter().map(|commands| fenced(commands)));
    }
    if !step.api.is_empty() {
        let names: Vec<String> = step.api.iter().map(|name| format!("`{name}`")).collect();
        parts.push(format!("**{}** {}", words.say("ways.api"), names.join(", ")));
    }
    for question in &step.questions {
        let Some(prose) = text.questions.get(&question.id) else {
            continue;
        };
        let right = question.verdict(None, None, words);
        if right.lines.is_empty() {
            parts.push(format!("{} {}", right.text, prose.answer));
        } else {
            parts.push(right.text);
            parts.push(fenced(&right.lines.join("\n")));
            parts.push(prose.answer.clone());
        }
    }
    parts.push(text.why.clone());
    parts
}

/// The lesson's files, whole: paper has no links.
fn files(book: &Book<'_>, lesson: &Lesson, dress: &Dress) -> Vec<String> {
    if lesson.files.is_empty() {
        return Vec::new();
    }
    let command = format!("velo lesson files {} DIR", lesson.id);
    let mut parts = vec![
        format!("## {}", book.words.say("book.files")),
        book.words.fill("book.files-how", &[("command", &command)]),
    ];
    for (name, text) in &lesson.files {
        parts.push(format!("### {name}"));
        parts.push(fenced(&dress.text(text)));
    }
    parts
}

fn fenced(text: &str) -> String {
    format!("```\n{}\n```", text.trim_end())
}

/// The same for readers who know no pictures: a drawing is a block of code, and its sentence stands below it.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut below = None;
    for line in text.lines() {
        match picture::sentence(line) {
            Some(sentence) => {
                plain.push_str("```text\n");
                below = Some(sentence);
            }
            None => {
                plain.push_str(line);
                plain.push('\n');
                if let Some(sentence) = below.filter(|_| line.starts_with("```")) {
                    plain.push_str(&format!("\n*{sentence}*\n"));
                    below = None;
                }
            }
        }
    }
    plain
}

/// The contents: a line for each lesson.
pub(super) fn contents(book: &Book<'_>) -> String {
    let mut text = format!("# {}\n\n", book.words.say("book.course"));
    for lesson in book.lessons {
        let page = Form::Markdown.page(&lesson.id);
        text.push_str(&format!("1. [{}]({page}) — `{}`", book.title(lesson), lesson.id));
        if !lesson.after.is_empty() {
            let before: Vec<String> = lesson.after.iter().map(|id| format!("`{id}`")).collect();
            let builds = book.words.say("book.builds-on");
            text.push_str(&format!(", {builds} {}", before.join(", ")));
        }
        text.push('\n');
    }
    text
}
