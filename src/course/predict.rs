//! Asking before the learner acts, and answering after success: what was predicted stands beside what happened.

use super::model::Step;
use super::prose::QuestionProse;
use super::question::{Asked, Question};
use super::quiz::{self, Chosen};
use super::runner::{Go, Obeyed, Runner};
use super::talk::Talk;
use super::watch::Watch;
use crate::failure::Outcome;

impl Runner<'_> {
    /// Shows the questions of a step, for a learner who is not there to answer.
    ///
    /// # Errors
    /// When the talk cannot be written.
    pub fn show_questions(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        let text = self.text(step);
        for question in &step.questions {
            if let Some(prose) = text.questions.get(&question.id) {
                self.show_question(&self.asked(question, prose), prose, talk)?;
            }
        }
        Ok(())
    }

    fn asked<'q>(&self, question: &'q Question, prose: &QuestionProse) -> Asked<'q> {
        Asked::new(question, prose.options.len(), self.dress.seed())
    }

    /// Shows a question and what can be answered.
    fn show_question(&self, asked: &Asked<'_>, prose: &QuestionProse, talk: &mut dyn Talk) -> Outcome {
        talk.say("")?;
        let text = format!("{} {}", self.words.say("play.predict"), prose.text);
        self.show(talk, &text)?;
        for choice in asked.choices(prose, self.page, &self.dress) {
            talk.say(&choice)?;
        }
        Ok(())
    }

    /// Asks the step's questions before the learner acts; the answers come after success.
    pub(super) fn predict(
        &self,
        step: &Step,
        at: usize,
        watch: &mut Watch,
        talk: &mut dyn Talk,
    ) -> Outcome<Option<Go>> {
        let text = self.text(step);
        let answered = self.progress()?.step(step).clone();
        for question in &step.questions {
            let Some(prose) = text.questions.get(&question.id) else {
                continue;
            };
            if answered.given(question).is_some() {
                continue;
            }
            let mut asked = self.asked(question, prose);
            self.show_question(&asked, prose, talk)?;
            self.prompt(&asked, talk)?;
            loop {
                match quiz::hear(&mut asked, talk)? {
                    Chosen::Answer(given) => {
                        self.update(|progress| progress.step(step).answer(question, given))?;
                        talk.say(self.words.say("runner.we-shall-see"))?;
                        break;
                    }
                    Chosen::Part => talk.say(&self.page.faint(&asked.so_far(self.words)))?,
                    Chosen::None => break,
                    Chosen::Other(line) => match self.obey(&line, step, at, watch, talk)? {
                        Obeyed::Go(go) => return Ok(Some(go)),
                        Obeyed::Done | Obeyed::Nothing => self.prompt(&asked, talk)?,
                    },
                }
            }
        }
        Ok(None)
    }

    fn prompt(&self, asked: &Asked<'_>, talk: &mut dyn Talk) -> Outcome {
        let prompt = asked.prompt(self.words, "runner");
        talk.say(&self.page.faint(&self.page.markdown(&prompt)))
    }

    /// Says the answers to the step's questions, each beside what was predicted.
    pub(super) fn say_answers(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        self.note_found(step)?;
        let text = self.text(step);
        let mine = self.progress()?.step(step).clone();
        for question in &step.questions {
            let Some(prose) = text.questions.get(&question.id) else {
                continue;
            };
            talk.say("")?;
            let given = mine.given(question);
            let verdict = question.verdict(given.as_ref(), mine.found(question), self.words);
            let believed = given
                .filter(|_| verdict.right == Some(false))
                .and_then(|given| self.lesson.belief(&step.id, &question.id, &given));
            let named = believed.map_or("", |belief| belief.sentence(self.words.lang()));
            let mut said = verdict.text;
            if !verdict.lines.is_empty() {
                self.show(talk, &said)?;
                for line in &verdict.lines {
                    talk.say(&self.page.typed("    ", &self.dress.text(line)))?;
                }
                said.clear();
            }
            let parts = [said.as_str(), named, &prose.answer];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            self.show(talk, &parts.join(" "))?;
        }
        Ok(())
    }

    /// Notes what the cluster says to the questions that it has a say in.
    fn note_found(&self, step: &Step) -> Outcome {
        if step.questions.iter().all(|question| question.fact().is_none()) {
            return Ok(());
        }
        let look = self.look_now(step)?;
        let mut found = Vec::new();
        for question in &step.questions {
            if let Some(number) = question.found(&look, &self.dress)? {
                found.push((question, number));
            }
        }
        self.update(|progress| {
            let mine = progress.step(step);
            for (question, number) in found {
                mine.find(question, number);
            }
        })
    }
}
