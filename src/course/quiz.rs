//! `velo quiz`: the lessons' questions, one after the other, each with its explanation.

use super::beliefs::Belief;
use super::dress::Dress;
use super::model::{Lesson, Step};
use super::prose::QuestionProse;
use super::question::{Asked, Given, Question, Took};
use super::render::Page;
use super::talk::{Heard, Talk};
use crate::failure::Outcome;
use crate::i18n::{Lang, Words};
use crate::kafka::Connection;
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

    fn text(&self, lang: Lang) -> Option<&QuestionProse> {
        let step = self.lesson.prose(lang).steps.get(&self.step.id)?;
        step.questions.get(&self.question.id)
    }

    /// Whether it is one of the questions that refute the belief of this id.
    pub fn refutes(&self, belief: &str) -> bool {
        let mut beliefs = self.lesson.beliefs.iter().filter(|known| known.id == belief);
        beliefs.any(|known| {
            let mut shows = known.shows.iter();
            shows.any(|shows| shows.is_about(&self.lesson.id, &self.step.id, &self.question.id))
        })
    }

    /// What somebody believes who gives this answer.
    pub fn belief(&self, given: &Given) -> Option<&Belief> {
        self.lesson.belief(&self.step.id, &self.question.id, given)
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

/// How questions are asked.
pub struct Quiz<'a> {
    /// In which language.
    pub words: &'a Words,
    /// How it looks.
    pub page: Page,
    /// How lines are shuffled.
    pub seed: u64,
}

impl Quiz<'_> {
    /// Asks questions until they or the answers end, and tells `answered` of each what was answered.
    ///
    /// # Errors
    /// When the talk cannot be written or read, or `answered` fails.
    pub fn ask(
        &self,
        places: &[Place<'_>],
        talk: &mut dyn Talk,
        answered: &mut dyn FnMut(&Place<'_>, &Given) -> Outcome,
    ) -> Outcome<Score> {
        let mut score = Score::default();
        for place in places {
            // A lesson may be written in one language only.
            let Some(prose) = place.text(self.words.lang()) else {
                continue;
            };
            let Some(right) = self.one(place, prose, talk, answered)? else {
                break;
            };
            score.given += 1;
            score.right += usize::from(right);
        }
        talk.say("")?;
        let said = [
            ("right", score.right.to_string()),
            ("given", score.given.to_string()),
        ];
        let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
        talk.say(&self.words.fill("quiz.score", &said))?;
        Ok(score)
    }

    /// Asks one, and says what is right; `None` when the learner leaves.
    fn one(
        &self,
        place: &Place<'_>,
        text: &QuestionProse,
        talk: &mut dyn Talk,
        answered: &mut dyn FnMut(&Place<'_>, &Given) -> Outcome,
    ) -> Outcome<Option<bool>> {
        let (words, page) = (self.words, self.page);
        let dress = Dress::new(place.lesson, "", Connection::DEFAULT_BOOTSTRAP);
        let mut asked = Asked::new(place.question, text.options.len(), self.seed);
        talk.say("")?;
        talk.say(&page.rule(&place.lesson.prose(words.lang()).title))?;
        talk.say(&page.markdown(&text.text))?;
        for choice in asked.choices(text, page, &dress) {
            talk.say(&choice)?;
        }
        let Some(given) = self.answer(&mut asked, talk)? else {
            return Ok(None);
        };
        let verdict = place.question.verdict(Some(&given), None, words);
        let right = verdict.right == Some(true);
        answered(place, &given)?;
        talk.say(&page.verdict(right, &verdict.text))?;
        for line in &verdict.lines {
            talk.say(&page.typed("    ", line))?;
        }
        if let Some(belief) = place.belief(&given) {
            talk.say(&page.markdown(belief.sentence(words.lang())))?;
        }
        talk.say(&page.markdown(&text.answer))?;
        Ok(Some(right))
    }

    /// Waits for an answer; `None` when the input ends or the learner leaves.
    fn answer(&self, asked: &mut Asked<'_>, talk: &mut dyn Talk) -> Outcome<Option<Given>> {
        let prompt = asked.prompt(self.words, "quiz");
        talk.say(&self.page.faint(&prompt))?;
        loop {
            match hear(asked, talk)? {
                Chosen::Answer(given) => return Ok(Some(given)),
                Chosen::Part => talk.say(&self.page.faint(&asked.so_far(self.words)))?,
                Chosen::None => return Ok(None),
                Chosen::Other(line) if line == "q" => return Ok(None),
                Chosen::Other(_) => talk.say(&prompt)?,
            }
        }
    }
}

/// What is heard after a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// The whole answer.
    Answer(Given),
    /// A part of it.
    Part,
    /// No answer: only Enter, or the input has ended.
    None,
    /// Something else.
    Other(String),
}

/// Waits for an answer, or a part of one.
///
/// # Errors
/// When the learner interrupts.
pub fn hear(asked: &mut Asked<'_>, talk: &mut dyn Talk) -> Outcome<Chosen> {
    talk.digits_at_once(asked.digits_at_once());
    let heard = loop {
        match talk.next(Duration::from_secs(3600))? {
            Heard::Nothing => {}
            heard => break heard,
        }
    };
    talk.digits_at_once(true);
    let Heard::Line(line) = heard else {
        return Ok(Chosen::None);
    };
    let line = line.trim();
    Ok(match asked.hear(line) {
        Took::Answer(given) => Chosen::Answer(given),
        Took::Part => Chosen::Part,
        Took::Other if line.is_empty() => Chosen::None,
        Took::Other => Chosen::Other(line.to_owned()),
    })
}
