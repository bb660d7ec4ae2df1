//! The interactive lesson: shows a step, watches the cluster while the learner acts anywhere, moves on when told to.

use super::check::{self, Finding};
use super::dress::Dress;
use super::fact::ClusterFacts;
use super::hint::{self, Face, Help};
use super::model::{Lesson, Step};
use super::play::three_ways;
use super::progress::{self, LessonProgress, Progress, State};
use super::prose::StepProse;
use super::quiz::choose;
use super::render::Page;
use super::stage;
use crate::failure::Outcome;
use crate::i18n::Words;
use crate::ui::foreign::harmless;
use std::path::PathBuf;
use std::time::Duration;

/// How often the cluster is looked at while the learner acts: a success is noticed within a second.
const LOOK: Duration = Duration::from_millis(500);

/// The two ends of a talk with the learner.
pub trait Talk {
    /// Says a text, ended by a new line.
    fn say(&mut self, text: &str) -> Outcome;
    /// The next line that the learner types, if one comes in time.
    fn next(&mut self, patience: Duration) -> Outcome<Heard>;
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(String),
    /// Nothing in the time given.
    Nothing,
    /// There will be no more.
    End,
}

/// A lesson that is being taken.
pub struct Runner<'a> {
    /// Which.
    pub lesson: &'a Lesson,
    /// In which language.
    pub words: &'a Words,
    /// On which cluster.
    pub facts: &'a dyn ClusterFacts,
    /// With which names.
    pub dress: Dress,
    /// How it looks.
    pub page: Page,
    /// The progress file.
    pub file: PathBuf,
}

/// Where to go after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    Next,
    Back,
    Again,
    Leave,
}

impl Runner<'_> {
    /// Takes the lesson from where the learner is, until it ends or the learner leaves.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub fn run(&self, talk: &mut dyn Talk) -> Outcome {
        let mut at = self.progress()?.position(self.lesson);
        if at == 0 {
            self.show(talk, &self.lesson.prose(self.words.lang()).intro)?;
        }
        while let Some(step) = self.lesson.steps.get(at) {
            self.update(|progress| progress.at = Some(step.id.clone()))?;
            match self.take(step, at, talk)? {
                Go::Next => at += 1,
                Go::Back => at = at.saturating_sub(1),
                Go::Again => {}
                Go::Leave => return talk.say(self.words.say("runner.left")),
            }
        }
        self.end(talk)
    }

    /// Shows the text of a step, with its heading.
    ///
    /// # Errors
    /// When the talk cannot be written.
    pub fn show_step(&self, at: usize, talk: &mut dyn Talk) -> Outcome {
        let Some(step) = self.lesson.steps.get(at) else {
            return Ok(());
        };
        let text = self.text(step);
        talk.say("")?;
        let heading = format!("{}/{} {}", at + 1, self.lesson.steps.len(), text.title);
        talk.say(&self.page.rule(&heading))?;
        self.show(talk, &text.body)
    }

    /// Shows the questions of a step, for a learner who is not there to answer.
    ///
    /// # Errors
    /// When the talk cannot be written.
    pub fn show_questions(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        let text = self.text(step);
        for asked in step
            .questions
            .iter()
            .filter_map(|question| text.questions.get(&question.id))
        {
            talk.say("")?;
            self.show(
                talk,
                &format!("{} {}", self.words.say("play.predict"), asked.text),
            )?;
            for (number, option) in asked.options.iter().enumerate() {
                self.show(talk, &format!("{}. {option}", number + 1))?;
            }
        }
        Ok(())
    }

    /// Checks a step once, says what was found, and notes a success.
    ///
    /// # Errors
    /// When the cluster does not answer, or the progress file cannot be written.
    pub fn check(&self, step: &Step, talk: &mut dyn Talk) -> Outcome<bool> {
        let findings = check::all(self.facts, &self.dress.checks(step))?;
        for finding in &findings {
            self.say_finding(finding, talk)?;
        }
        let passed = check::passed(&findings);
        if passed {
            self.succeed(step, talk)?;
        }
        Ok(passed)
    }

    /// Gives the next hint, or the solution after the last one.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub fn help(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        let text = self.text(step);
        let given = self
            .progress()?
            .steps
            .get(&step.id)
            .map_or(0, |progress| progress.hints);
        match hint::next(&text, given) {
            Help::Hint(number, hint) => {
                self.update(|progress| progress.step(step).hints = number)?;
                let title = self.words.fill(
                    "runner.hint",
                    &[("n", &number.to_string()), ("all", &text.hints.len().to_string())],
                );
                self.show(talk, &format!("{title} {hint}"))
            }
            Help::Solution => self.solution(step, talk),
        }
    }

    /// Shows the commands that solve the step, in both faces.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub fn solution(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        let all = self.text(step).hints.len() + 1;
        self.update(|progress| progress.step(step).hints = all)?;
        talk.say(self.words.say("runner.solution"))?;
        for face in [Face::Velo, Face::Kafka] {
            for line in hint::solution(step, face) {
                talk.say(&self.page.typed("    ", &self.dress.text(&line)))?;
            }
            talk.say("")?;
        }
        Ok(())
    }

    /// Leaves a step out, which is not passing it.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub fn skip(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        self.update(|progress| progress.set(step, State::Skipped, &progress::now()))?;
        talk.say(&self.words.fill("runner.skipped", &[("step", &step.id)]))
    }

    /// The learner's progress in this lesson.
    ///
    /// # Errors
    /// When the progress file cannot be understood.
    pub fn progress(&self) -> Outcome<LessonProgress> {
        Ok(Progress::load(&self.file)?.lesson(&self.lesson.id).clone())
    }

    /// Changes the progress in this lesson and writes it down at once.
    ///
    /// # Errors
    /// When the progress file cannot be read or written.
    pub fn update(&self, change: impl FnOnce(&mut LessonProgress)) -> Outcome {
        let mut progress = Progress::load(&self.file)?;
        change(progress.lesson(&self.lesson.id));
        progress.save(&self.file)
    }

    fn take(&self, step: &Step, at: usize, talk: &mut dyn Talk) -> Outcome<Go> {
        self.show_step(at, talk)?;
        for topic in stage::set_up(self.facts, &self.dress, step)? {
            talk.say(&self.words.fill("runner.set-up", &[("topic", &topic)]))?;
        }
        self.predict(step, talk)?;
        talk.say("")?;
        let menu = if step.checks.is_empty() {
            "runner.menu-look"
        } else {
            "runner.menu"
        };
        talk.say(&self.page.faint(&self.page.markdown(self.words.say(menu))))?;
        let mut watch = Watch::default();
        loop {
            let heard = talk.next(LOOK)?;
            match &heard {
                Heard::Nothing => self.look(step, &mut watch, talk)?,
                Heard::End => {
                    self.check(step, talk)?;
                    return Ok(Go::Leave);
                }
                Heard::Line(line) => {
                    if let Some(go) = self.obey(line.trim(), step, &mut watch, talk)? {
                        return Ok(go);
                    }
                }
            }
        }
    }

    fn obey(&self, word: &str, step: &Step, watch: &mut Watch, talk: &mut dyn Talk) -> Outcome<Option<Go>> {
        match word {
            "" | "n" if watch.passed => return Ok(Some(Go::Next)),
            "" | "n" | "c" => {
                watch.passed = self.check(step, talk)?;
                if !watch.passed {
                    talk.say(self.words.say("runner.not-yet"))?;
                }
                if watch.passed && step.checks.is_empty() {
                    return Ok(Some(Go::Next));
                }
                if watch.passed {
                    talk.say(&self.page.faint(self.words.say("runner.menu-next")))?;
                }
            }
            "h" => self.help(step, talk)?,
            "s" => self.solution(step, talk)?,
            "b" => return Ok(Some(Go::Back)),
            "k" => {
                self.skip(step, talk)?;
                return Ok(Some(Go::Next));
            }
            "t" => return Ok(Some(Go::Again)),
            "q" => return Ok(Some(Go::Leave)),
            _ => talk.say(self.words.say("runner.menu"))?,
        }
        Ok(None)
    }

    /// Looks at the cluster once, and says what has come true since the last look.
    fn look(&self, step: &Step, watch: &mut Watch, talk: &mut dyn Talk) -> Outcome {
        if watch.passed || step.checks.is_empty() {
            return Ok(());
        }
        let findings = match check::all(self.facts, &self.dress.checks(step)) {
            Ok(findings) => findings,
            Err(failure) => {
                // A cluster that is being restarted comes back: say so once, and go on looking.
                if !watch.lost {
                    talk.say(&harmless(&failure.to_string()))?;
                }
                watch.lost = true;
                return Ok(());
            }
        };
        watch.lost = false;
        for finding in findings.iter().filter(|finding| finding.passed) {
            if !watch.seen.contains(&finding.check.name) {
                watch.seen.push(finding.check.name.clone());
                self.say_finding(finding, talk)?;
            }
        }
        if check::passed(&findings) {
            watch.passed = true;
            self.succeed(step, talk)?;
            talk.say(&self.page.faint(self.words.say("runner.menu-next")))?;
        }
        Ok(())
    }

    /// Asks the step's questions before the learner acts; the answers come after success.
    fn predict(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        let text = self.text(step);
        let answered = self.progress()?.step(step).answers.clone();
        for question in &step.questions {
            let Some(asked) = text.questions.get(&question.id) else {
                continue;
            };
            if answered.contains_key(&question.id) {
                continue;
            }
            talk.say("")?;
            self.show(
                talk,
                &format!("{} {}", self.words.say("play.predict"), asked.text),
            )?;
            let options: Vec<String> = asked
                .options
                .iter()
                .map(|option| self.dress.text(option))
                .collect();
            if let Some(given) = choose(&options, self.words, self.page, talk)? {
                self.update(|progress| {
                    progress.step(step).answers.insert(question.id.clone(), given);
                })?;
                talk.say(self.words.say("runner.we-shall-see"))?;
            }
        }
        Ok(())
    }

    fn succeed(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        self.update(|progress| progress.set(step, State::Passed, &progress::now()))?;
        talk.say(&self.page.verdict(true, self.words.say("runner.passed")))?;
        let text = self.text(step);
        let answers = self.progress()?.step(step).answers.clone();
        for question in &step.questions {
            let Some(asked) = text.questions.get(&question.id) else {
                continue;
            };
            let key = match answers.get(&question.id) {
                Some(given) if *given == question.answer => "quiz.right",
                Some(_) => "quiz.wrong",
                None => "play.answer",
            };
            talk.say("")?;
            let verdict = self.words.fill(key, &[("n", &question.answer.to_string())]);
            self.show(talk, &format!("{verdict} {}", asked.answer))?;
        }
        if !text.why.is_empty() {
            talk.say("")?;
            self.show(talk, &text.why)?;
        }
        for line in three_ways(self.words, &self.dress, step) {
            talk.say(&self.page.faint(&line))?;
        }
        Ok(())
    }

    fn end(&self, talk: &mut dyn Talk) -> Outcome {
        let progress = self.progress()?;
        talk.say("")?;
        talk.say(&self.page.rule(self.words.say("play.end")))?;
        self.show(talk, &self.lesson.prose(self.words.lang()).end)?;
        talk.say("")?;
        talk.say(&self.words.fill(
            "runner.end",
            &[
                ("passed", &progress.passed(self.lesson).to_string()),
                ("steps", &self.lesson.steps.len().to_string()),
                ("lesson", &self.lesson.id),
            ],
        ))
    }

    fn say_finding(&self, finding: &Finding, talk: &mut dyn Talk) -> Outcome {
        let line = format!("  {}", finding.line(self.words));
        talk.say(&self.page.verdict(finding.passed, &line))
    }

    fn text(&self, step: &Step) -> StepProse {
        self.lesson
            .prose(self.words.lang())
            .steps
            .get(&step.id)
            .cloned()
            .unwrap_or_default()
    }

    fn show(&self, talk: &mut dyn Talk, markdown: &str) -> Outcome {
        if markdown.is_empty() {
            return Ok(());
        }
        talk.say(&self.page.markdown(&self.dress.text(markdown)))
    }
}

/// What watching has seen of a step.
#[derive(Debug, Default)]
struct Watch {
    seen: Vec<String>,
    passed: bool,
    lost: bool,
}
