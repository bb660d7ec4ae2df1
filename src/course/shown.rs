//! What the cluster shows that a learner believes: mistakes that have left their mark there, and the belief behind each.

use super::beliefs::Belief;
use super::check;
use super::dress::Dress;
use super::look::Look;
use super::model::{Step, Wrong};
use super::runner::Runner;
use super::talk::Talk;
use crate::failure::Outcome;
use std::collections::BTreeSet;

/// The mistakes of a step that show a belief, and that the cluster shows now.
///
/// # Errors
/// When the cluster does not answer.
pub fn mistakes<'s>(step: &'s Step, look: &Look<'_>, dress: &Dress) -> Outcome<Vec<&'s Wrong>> {
    let mut made = Vec::new();
    for attempt in step.wrong.iter().filter(|attempt| attempt.belief.is_some()) {
        if is_seen(attempt, look, dress)? {
            made.push(attempt);
        }
    }
    Ok(made)
}

/// Whether all that a mistake leaves behind is there.
fn is_seen(attempt: &Wrong, look: &Look<'_>, dress: &Dress) -> Outcome<bool> {
    for wanted in &attempt.seen {
        if !check::one(look, &dress.check(wanted))?.passed {
            return Ok(false);
        }
    }
    Ok(!attempt.seen.is_empty())
}

impl<'a> Runner<'a> {
    /// Notes what looks like a mistake when a step begins: it was not made there.
    ///
    /// # Errors
    /// When the cluster does not answer, or the progress file cannot be written.
    pub(super) fn note_what_shows_already(&self, step: &Step, look: &Look<'_>) -> Outcome {
        let made = mistakes(step, look, &self.dress)?;
        let names: BTreeSet<String> = made.into_iter().map(|attempt| attempt.name.clone()).collect();
        let known = self.progress()?;
        let known = known.steps.get(&step.id).map(|mine| &mine.there);
        if known.map_or(names.is_empty(), |known| *known == names) {
            return Ok(());
        }
        self.update(|progress| progress.step(step).there = names)
    }

    /// The beliefs that the cluster shows now, and that the learner has not been told of at this step.
    ///
    /// # Errors
    /// When the cluster does not answer, or the progress file cannot be understood.
    pub(super) fn shown(&self, step: &Step, look: &Look<'_>) -> Outcome<Vec<&'a Belief>> {
        let made = mistakes(step, look, &self.dress)?;
        if made.is_empty() {
            return Ok(Vec::new());
        }
        let mine = self.progress()?.step(step).clone();
        let lesson = self.lesson;
        let mut shown: Vec<&Belief> = Vec::new();
        for attempt in made {
            let named = lesson
                .beliefs
                .iter()
                .find(|belief| attempt.belief.as_ref() == Some(&belief.id));
            let Some(belief) = named else { continue };
            let is_new = !mine.there.contains(&attempt.name) && !mine.beliefs.contains(&belief.id);
            if is_new && !shown.contains(&belief) {
                shown.push(belief);
            }
        }
        Ok(shown)
    }

    /// Tells the learner what is commonly believed, and notes it for the quiz, the report and the class.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub(super) fn name_beliefs(&self, step: &Step, beliefs: &[&Belief], talk: &mut dyn Talk) -> Outcome {
        for belief in beliefs {
            self.update(|progress| {
                progress.step(step).beliefs.insert(belief.id.clone());
            })?;
            talk.say(&self.page.markdown(belief.sentence(self.words.lang())))?;
        }
        Ok(())
    }
}
