//! The interactive lesson: shows a step, watches the cluster while the learner acts anywhere, moves on when told to.

use super::began;
use super::check::{self, Check, Finding};
use super::class::Register;
use super::dress::Dress;
use super::facts::ClusterFacts;
use super::hint::{self, Face, Help};
use super::look::Look;
use super::model::{Lesson, Step};
use super::needs;
use super::play::{elsewhere, three_ways};
use super::progress::{self, LessonProgress, Progress, State};
use super::prose::StepProse;
use super::render::Page;
use super::stage;
use super::talk::{Heard, News, Talk};
use super::typed::{self, Typed};
use super::watch::Watch;
use crate::failure::Outcome;
use crate::i18n::Words;
use crate::ui::foreign::harmless;
use std::path::PathBuf;
use std::time::Duration;

/// How often the cluster is looked at while the learner acts: a success is noticed within a second.
const LOOK: Duration = Duration::from_millis(500);

/// The same in a class, where thirty look at one cluster.
const LOOK_IN_CLASS: Duration = Duration::from_millis(600);

/// How many lines of programs in the background are shown at a time; of more, the last.
const NEWS: usize = 8;

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
    /// The lesson to go on with after this one.
    pub next: Option<String>,
    /// The folder of the cluster that was started for the lesson, if so: its brokers can be stopped and started from here.
    pub own_data: Option<PathBuf>,
    /// Who else is told how it goes, when the learner takes it in a class.
    pub class: Option<&'a dyn Register>,
}

/// Where to go after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    Next,
    Back,
    Again,
    Leave,
}

/// What became of something that the learner typed.
pub(super) enum Obeyed {
    /// It leads away from the step, or to its beginning.
    Go(Go),
    /// It is dealt with.
    Done,
    /// It means nothing here.
    Nothing,
}

impl Runner<'_> {
    /// Takes the lesson from where the learner is, until it ends or the learner leaves.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub fn run(&self, talk: &mut dyn Talk) -> Outcome {
        let mut at = self.progress()?.position(self.lesson);
        if at == self.lesson.steps.len() {
            self.tell_class(None, &[], talk)?;
            return self.finished(talk);
        }
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
        self.update(|progress| progress.at = None)?;
        self.tell_class(None, &[], talk)?;
        self.end(talk)
    }

    /// What a learner is told who comes back to a lesson of which nothing is left to do.
    fn finished(&self, talk: &mut dyn Talk) -> Outcome {
        talk.say(&self.words.fill("runner.finished", &[("lesson", &self.lesson.id)]))?;
        self.go_on(talk)
    }

    /// Names the lesson to go on with.
    fn go_on(&self, talk: &mut dyn Talk) -> Outcome {
        match &self.next {
            Some(next) => talk.say(&self.words.fill("runner.next", &[("lesson", next)])),
            None => Ok(()),
        }
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

    /// Says what is to be done to brokers that cannot be reached from here, when the step does something to some.
    ///
    /// # Errors
    /// When the talk cannot be written.
    pub fn say_elsewhere(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        if self.own_data.is_some() {
            return Ok(());
        }
        for line in elsewhere(self.words, &self.dress, step) {
            self.show(talk, &line)?;
        }
        Ok(())
    }

    /// Checks a step once, says what was found, and notes a success.
    ///
    /// # Errors
    /// When the cluster does not answer, or the progress file cannot be written.
    pub fn check(&self, step: &Step, talk: &mut dyn Talk) -> Outcome<bool> {
        let look = self.look_now(step)?;
        let findings = check::all(&look, &self.checks(step))?;
        for finding in &findings {
            self.say_finding(finding, talk)?;
        }
        if check::passed(&findings) {
            self.succeed(step, talk)?;
            return Ok(true);
        }
        self.name_beliefs(step, &self.shown(step, &look)?, talk)?;
        self.say_missing(step, talk)?;
        Ok(false)
    }

    /// The step's checks about this learner's names.
    pub(super) fn checks(&self, step: &Step) -> Vec<Check> {
        self.dress.checks(step)
    }

    /// The cluster as it is now, with who was there when the step began.
    ///
    /// # Errors
    /// When the progress file cannot be understood.
    pub(super) fn look_now(&self, step: &Step) -> Outcome<Look<'_>> {
        let progress = self.progress()?;
        let began = progress.steps.get(&step.id).map(|mine| mine.began.clone());
        Ok(Look::at(self.facts, began.unwrap_or_default()))
    }

    /// Makes what a step starts from and notes who is there; a step that was passed needs neither. Says what an earlier step
    /// should have left and has not.
    ///
    /// # Errors
    /// When the cluster does not answer, or the talk or the progress file cannot be written.
    pub fn begin(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        if self.progress()?.state(step) == State::Passed {
            return Ok(());
        }
        for topic in stage::set_up(self.facts, &self.dress, step)? {
            talk.say(&self.words.fill("runner.set-up", &[("topic", &topic)]))?;
        }
        let members = began::members(self.facts, &self.dress.checks(step))?;
        if !members.is_empty() {
            self.update(|progress| progress.step(step).began = members)?;
        }
        self.note_what_shows_already(step, &self.look_now(step)?)?;
        self.say_missing(step, talk)
    }

    /// Says which things of earlier steps the step builds on and does not find, and what makes them.
    fn say_missing(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        for missing in needs::missing(self.lesson, step, &self.look_now(step)?, &self.dress)? {
            let title = self.text(missing.step).title;
            let said = self.words.fill("runner.missing", &[("title", &title)]);
            talk.say(&self.page.markdown(&said))?;
            for finding in &missing.findings {
                self.say_finding(finding, talk)?;
            }
            for line in hint::solution(missing.step, Face::Velo) {
                talk.say(&self.page.typed("    ", &self.dress.text(&line)))?;
            }
        }
        Ok(())
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
                self.show(talk, &format!("{title} {hint}"))?;
                self.say_missing(step, talk)
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
        self.say_missing(step, talk)
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
        let mut watch = Watch::default();
        self.show_step(at, talk)?;
        self.say_elsewhere(step, talk)?;
        self.look(step, &mut watch, talk)?;
        if let Some(go) = self.predict(step, at, &mut watch, talk)? {
            return Ok(go);
        }
        talk.say("")?;
        let menu = if step.checks.is_empty() {
            "runner.menu-look"
        } else {
            "runner.menu"
        };
        talk.say(&self.page.faint(&self.page.markdown(self.words.say(menu))))?;
        let pause = self.class.map_or(LOOK, |_| LOOK_IN_CLASS);
        loop {
            self.say_news(talk)?;
            match talk.next(pause)? {
                Heard::Nothing => self.look(step, &mut watch, talk)?,
                Heard::End => {
                    self.patiently(&mut watch, talk, |talk| self.check(step, talk).map(drop))?;
                    return Ok(Go::Leave);
                }
                Heard::Line(line) => {
                    if let Some(go) = self.hear(line.trim(), step, at, &mut watch, talk)? {
                        return Ok(go);
                    }
                }
            }
        }
    }

    /// A line while the learner acts.
    fn hear(
        &self,
        line: &str,
        step: &Step,
        at: usize,
        watch: &mut Watch,
        talk: &mut dyn Talk,
    ) -> Outcome<Option<Go>> {
        match line {
            "" | "n" if watch.passed => Ok(Some(Go::Next)),
            "" | "n" | "c" => self.check_now(step, watch, talk),
            _ => match self.obey(line, step, at, watch, talk)? {
                Obeyed::Go(go) => Ok(Some(go)),
                Obeyed::Done => Ok(None),
                Obeyed::Nothing => talk.say(self.words.say("runner.menu")).map(|()| None),
            },
        }
    }

    fn check_now(&self, step: &Step, watch: &mut Watch, talk: &mut dyn Talk) -> Outcome<Option<Go>> {
        let mut passed = None;
        self.patiently(watch, talk, |talk| {
            passed = Some(self.check(step, talk)?);
            Ok(())
        })?;
        match passed {
            Some(true) if step.checks.is_empty() => return Ok(Some(Go::Next)),
            Some(true) => talk.say(&self.page.faint(self.words.say("runner.menu-next")))?,
            Some(false) => talk.say(self.words.say("runner.not-yet"))?,
            None => {}
        }
        watch.passed = passed == Some(true);
        Ok(None)
    }

    /// What means the same wherever a step is: its keys, and commands.
    pub(super) fn obey(
        &self,
        line: &str,
        step: &Step,
        at: usize,
        watch: &mut Watch,
        talk: &mut dyn Talk,
    ) -> Outcome<Obeyed> {
        match line {
            "h" => self.patiently(watch, talk, |talk| self.help(step, talk))?,
            "s" => self.patiently(watch, talk, |talk| self.solution(step, talk))?,
            "t" => return Ok(Obeyed::Go(Go::Again)),
            "b" if at == 0 => talk.say(self.words.say("runner.at-the-start"))?,
            "b" => return Ok(Obeyed::Go(Go::Back)),
            "k" => {
                self.skip(step, talk)?;
                return Ok(Obeyed::Go(Go::Next));
            }
            "q" => return Ok(Obeyed::Go(Go::Leave)),
            _ => match typed::read(line) {
                Typed::Key("") => return Ok(Obeyed::Nothing),
                Typed::Key(key) => return self.obey(key, step, at, watch, talk),
                Typed::Short(words) => talk.run(&words)?,
                Typed::Asks(words) if talk.can_ask() => talk.run(&words)?,
                Typed::Long(command) => match talk.start(&command)? {
                    Some(name) => talk.say(&self.words.fill("runner.job-started", &[("n", &name)]))?,
                    None => self.send_elsewhere(line, talk)?,
                },
                Typed::End(name) => {
                    let ended = talk.end(name.as_deref()).join(", ");
                    talk.say(&self.words.fill("runner.job-stopped", &[("names", &ended)]))?;
                }
                Typed::Asks(_) => self.send_elsewhere(line, talk)?,
                Typed::Elsewhere => self.send_elsewhere(line, talk)?,
                Typed::Other => return Ok(Obeyed::Nothing),
            },
        }
        Ok(Obeyed::Done)
    }

    /// Says what has happened in the background: the last lines of each program, and which have ended.
    fn say_news(&self, talk: &mut dyn Talk) -> Outcome {
        let news = talk.news();
        let mut left_out = news.len().saturating_sub(NEWS);
        if left_out > 0 {
            let said = self
                .words
                .fill("runner.job-more", &[("n", &left_out.to_string())]);
            talk.say(&self.page.faint(&format!("  {said}")))?;
        }
        for piece in news {
            match piece {
                News::Line(..) if left_out > 0 => left_out -= 1,
                News::Line(name, text) => talk.say(&format!("  [{name}] {}", harmless(&text)))?,
                News::Ended(name, code) => {
                    let said = [("n", name), ("code", code.to_string())];
                    let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
                    talk.say(&self.words.fill("runner.job-ended", &said))?;
                }
            }
        }
        Ok(())
    }

    /// Says where a command is to be typed.
    fn send_elsewhere(&self, line: &str, talk: &mut dyn Talk) -> Outcome {
        talk.say(&self.page.markdown(self.words.say("runner.elsewhere")))?;
        talk.say(&self.page.typed("    ", line))
    }

    pub(super) fn succeed(&self, step: &Step, talk: &mut dyn Talk) -> Outcome {
        self.update(|progress| progress.set(step, State::Passed, &progress::now()))?;
        talk.say(&self.page.verdict(true, self.words.say("runner.passed")))?;
        self.say_answers(step, talk)?;
        let text = self.text(step);
        if !text.why.is_empty() {
            talk.say("")?;
            self.show(talk, &text.why)?;
        }
        for line in three_ways(self.words, &self.dress, step) {
            talk.say(&self.page.faint(&line))?;
        }
        Ok(())
    }

    /// Says the lesson's last words, and which lesson comes next.
    ///
    /// # Errors
    /// When the talk cannot be written.
    pub fn end(&self, talk: &mut dyn Talk) -> Outcome {
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
        ))?;
        self.go_on(talk)
    }

    pub(super) fn say_finding(&self, finding: &Finding, talk: &mut dyn Talk) -> Outcome {
        let line = format!("  {}", finding.line(self.words));
        talk.say(&self.page.verdict(finding.passed, &line))
    }

    pub(super) fn text(&self, step: &Step) -> StepProse {
        self.lesson
            .prose(self.words.lang())
            .steps
            .get(&step.id)
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn show(&self, talk: &mut dyn Talk, markdown: &str) -> Outcome {
        if markdown.is_empty() {
            return Ok(());
        }
        talk.say(&self.page.markdown(&self.dress.text(markdown)))
    }
}
