//! `velo quiz`: the lessons' questions, one after the other, each with its explanation.

use super::model::Lesson;
use super::render::Page;
use super::runner::{Heard, Talk};
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

/// Shows numbered answers and waits for a number among them; `None` when the input ends or the learner leaves.
pub fn choose(options: &[String], words: &Words, page: Page, talk: &mut dyn Talk) -> Outcome<Option<usize>> {
    for (number, option) in options.iter().enumerate() {
        talk.say(&page.markdown(&format!("{}. {option}", number + 1)))?;
    }
    let prompt = words.fill("quiz.prompt", &[("n", &options.len().to_string())]);
    talk.say(&page.faint(&prompt))?;
    loop {
        match talk.next(Duration::from_secs(3600))? {
            Heard::Nothing => {}
            Heard::End => return Ok(None),
            Heard::Line(line) => match line.trim().parse() {
                Ok(number) if (1..=options.len()).contains(&number) => return Ok(Some(number)),
                Ok(_) => talk.say(&prompt)?,
                Err(_) if matches!(line.trim(), "" | "q") => return Ok(None),
                Err(_) => talk.say(&prompt)?,
            },
        }
    }
}
