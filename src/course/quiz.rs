//! `velo quiz`: the lessons' questions, one after the other, each with its explanation.

use super::model::{Lesson, Question, Step};
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

/// A question with its place.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its lesson.
    pub lesson: &'a Lesson,
    /// Its step.
    pub step: &'a Step,
    /// The question.
    pub question: &'a Question,
}

impl Place<'_> {
    /// Its name in the progress file: `lesson/step/question`.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.lesson.id, self.step.id, self.question.id)
    }
}

/// All questions of the lessons, in their order.
pub fn questions(lessons: &[Lesson]) -> Vec<Place<'_>> {
    let steps = lessons
        .iter()
        .flat_map(|lesson| lesson.steps.iter().map(move |step| (lesson, step)));
    steps
        .flat_map(|(lesson, step)| {
            step.questions.iter().map(move |question| Place {
                lesson,
                step,
                question,
            })
        })
        .collect()
}

/// Asks questions until they or the answers end, and tells `answered` of each whether it was answered right.
///
/// # Errors
/// When the talk cannot be written or read, or `answered` fails.
pub fn ask(
    places: &[Place<'_>],
    words: &Words,
    page: Page,
    talk: &mut dyn Talk,
    answered: &mut dyn FnMut(&Place<'_>, bool) -> Outcome,
) -> Outcome<Score> {
    let mut score = Score::default();
    for place in places {
        let prose = place.lesson.prose(words.lang());
        let text = prose.steps.get(&place.step.id);
        let Some(asked) = text.and_then(|text| text.questions.get(&place.question.id)) else {
            continue;
        };
        talk.say("")?;
        talk.say(&page.rule(&prose.title))?;
        talk.say(&page.markdown(&asked.text))?;
        let Some(given) = choose(&asked.options, words, page, talk)? else {
            break;
        };
        let right = given == place.question.answer;
        score.given += 1;
        score.right += usize::from(right);
        answered(place, right)?;
        let key = if right { "quiz.right" } else { "quiz.wrong" };
        let verdict = words.fill(key, &[("n", &place.question.answer.to_string())]);
        talk.say(&page.verdict(right, &verdict))?;
        if let Some(belief) = place.lesson.belief(&place.step.id, &place.question.id, given) {
            talk.say(&page.markdown(belief.sentence(words.lang())))?;
        }
        talk.say(&page.markdown(&asked.answer))?;
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
