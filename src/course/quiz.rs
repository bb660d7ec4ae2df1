//! `velo quiz`: the lessons' questions, one after the other, each with its explanation.

use super::model::Lesson;
use super::render::Page;
use super::talk::{Heard, Talk};
use crate::failure::Outcome;
use crate::i18n::Words;
use std::time::Duration;

/// How a quiz came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// Right answers.
    pub right: usize,
    /// Answers given.
    pub given: usize,
}

/// Asks the questions of the lessons until they or the answers end.
///
/// # Errors
/// When the talk cannot be written or read.
pub fn ask(lessons: &[Lesson], words: &Words, page: Page, talk: &mut dyn Talk) -> Outcome<Score> {
    let mut score = Score::default();
    'asking: for lesson in lessons {
        let prose = lesson.prose(words.lang());
        for step in &lesson.steps {
            for question in &step.questions {
                let Some(asked) = prose
                    .steps
                    .get(&step.id)
                    .and_then(|text| text.questions.get(&question.id))
                else {
                    continue;
                };
                talk.say("")?;
                talk.say(&page.rule(&prose.title))?;
                talk.say(&page.markdown(&asked.text))?;
                let Some(given) = choose(&asked.options, words, page, talk)? else {
                    break 'asking;
                };
                score.given += 1;
                score.right += usize::from(given == question.answer);
                let key = if given == question.answer {
                    "quiz.right"
                } else {
                    "quiz.wrong"
                };
                let verdict = words.fill(key, &[("n", &question.answer.to_string())]);
                talk.say(&page.verdict(given == question.answer, &verdict))?;
                talk.say(&page.markdown(&asked.answer))?;
            }
        }
    }
    talk.say("")?;
    talk.say(&words.fill(
        "quiz.score",
        &[
            ("right", &score.right.to_string()),
            ("given", &score.given.to_string()),
        ],
    ))?;
    Ok(score)
}

/// What is heard after a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// An answer, from 1.
    Number(usize),
    /// No answer: only Enter, or the input has ended.
    None,
    /// Something else.
    Other(String),
}

/// Waits for an answer among `most`.
///
/// # Errors
/// When the learner interrupts.
pub fn hear(most: usize, talk: &mut dyn Talk) -> Outcome<Chosen> {
    loop {
        let line = match talk.next(Duration::from_secs(3600))? {
            Heard::Nothing => continue,
            Heard::End => return Ok(Chosen::None),
            Heard::Line(line) => line.trim().to_owned(),
        };
        return Ok(match line.parse() {
            Ok(number) if (1..=most).contains(&number) => Chosen::Number(number),
            _ if line.is_empty() => Chosen::None,
            _ => Chosen::Other(line),
        });
    }
}

/// Shows numbered answers and waits for one of them; `None` when the input ends or the learner leaves.
fn choose(options: &[String], words: &Words, page: Page, talk: &mut dyn Talk) -> Outcome<Option<usize>> {
    for (number, option) in options.iter().enumerate() {
        talk.say(&page.markdown(&format!("{}. {option}", number + 1)))?;
    }
    let prompt = words.fill("quiz.prompt", &[("n", &options.len().to_string())]);
    talk.say(&page.faint(&prompt))?;
    loop {
        match hear(options.len(), talk)? {
            Chosen::Number(number) => return Ok(Some(number)),
            Chosen::None => return Ok(None),
            Chosen::Other(line) if line == "q" => return Ok(None),
            Chosen::Other(_) => talk.say(&prompt)?,
        }
    }
}
