//! `velo lesson play`: a lesson that runs by itself, as a demonstration and as its own test.

use super::check::{self, Finding};
use super::dress::Dress;
use super::hint::{self, Face};
use super::model::{Act, BrokerAct, Lesson, Step};
use super::program::{Ended, Line};
use super::prose::StepProse;
use super::question::Asked;
use super::render::Page;
use super::stage::Stage;
use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use crate::ui::foreign::harmless;
use std::collections::BTreeMap;
use std::time::Instant;

/// How many lines of a program that goes on are shown in each step; the rest is counted.
const SHOWN: usize = 6;

/// How a text goes to the audience.
pub type Say<'a> = &'a dyn Fn(&str) -> Outcome;

/// A demonstration.
pub struct Play<'a> {
    /// What is played.
    pub lesson: &'a Lesson,
    /// In which language.
    pub words: &'a Words,
    /// Where it is played.
    pub stage: Stage<'a>,
    /// How it looks.
    pub page: Page,
    /// Where it is shown.
    pub say: Say<'a>,
    /// Waits, before each command, after it and at the end of a step, until the audience has seen enough.
    pub pause: &'a dyn Fn() -> Outcome,
}

impl Play<'_> {
    /// Plays every step to the end of the lesson. The programs that the lesson started have left afterwards.
    ///
    /// # Errors
    /// When a step's checks do not hold in time, a command fails, or the user interrupts.
    pub fn run(&mut self) -> Outcome {
        let started = Instant::now();
        let prose = self.lesson.prose(self.words.lang());
        self.show(&prose.intro)?;
        let mut passed = 0;
        for (number, step) in self.lesson.steps.iter().enumerate() {
            let text = prose.steps.get(&step.id).cloned().unwrap_or_default();
            (self.say)("")?;
            let heading = format!("{}/{} {}", number + 1, self.lesson.steps.len(), text.title);
            (self.say)(&self.page.rule(&heading))?;
            passed += self.step(step, &text)?;
            (self.pause)()?;
        }
        self.stage.programs.stop_all();
        (self.say)("")?;
        (self.say)(&self.page.rule(self.words.say("play.end")))?;
        self.show(&prose.end)?;
        (self.say)("")?;
        let summary = self.words.fill(
            "play.summary",
            &[
                ("lesson", &self.lesson.id),
                ("steps", &self.lesson.steps.len().to_string()),
                ("checks", &passed.to_string()),
                ("seconds", &started.elapsed().as_secs().to_string()),
            ],
        );
        (self.say)(&self.page.verdict(true, &summary))
    }

    /// Plays a step and says how many checks passed.
    fn step(&mut self, step: &Step, text: &StepProse) -> Outcome<usize> {
        self.show(&text.body)?;
        for question in &step.questions {
            if let Some(asked) = text.questions.get(&question.id) {
                (self.say)("")?;
                self.show(&format!("{} {}", self.words.say("play.predict"), asked.text))?;
                let dress = &self.stage.dress;
                let put = Asked::new(question, asked.options.len(), dress.seed());
                for choice in put.choices(asked, self.page, dress) {
                    (self.say)(&choice)?;
                }
            }
        }
        (self.say)("")?;
        self.stage.set_up(step)?;
        self.stage.begin(step)?;
        let mut audience = Audience::new(self.page, self.words, self.say);
        for act in &step.acts {
            perform(&mut self.stage, &mut audience, act, self.pause)?;
        }
        let findings = if step.checks.is_empty() {
            Vec::new()
        } else {
            audience.say(&self.page.faint(self.words.say("play.watching")))?;
            let checks = self.stage.checks(step);
            self.stage.wait(&checks, &mut |line| audience.hear(&line))?
        };
        audience.rest()?;
        self.verdict(step, text, &findings)
    }

    fn verdict(&self, step: &Step, text: &StepProse, findings: &[Finding]) -> Outcome<usize> {
        if !findings.is_empty() {
            (self.say)("")?;
        }
        for finding in findings {
            let line = format!("  {}", finding.line(self.words));
            (self.say)(&self.page.verdict(finding.passed, &line))?;
        }
        if !check::passed(findings) {
            return Err(step_failed(self.words, step, findings));
        }
        self.say_answers(step, text)?;
        if !text.why.is_empty() {
            (self.say)("")?;
            self.show(&text.why)?;
        }
        for line in three_ways(self.words, &self.stage.dress, step) {
            (self.say)(&self.page.faint(&line))?;
        }
        Ok(findings.len())
    }

    fn say_answers(&self, step: &Step, text: &StepProse) -> Outcome {
        let look = self.stage.look();
        for question in &step.questions {
            let Some(asked) = text.questions.get(&question.id) else {
                continue;
            };
            let found = question.found(&look, &self.stage.dress)?;
            let verdict = question.verdict(None, found, self.words);
            (self.say)("")?;
            if verdict.lines.is_empty() {
                self.show(&format!("{} {}", verdict.text, asked.answer))?;
                continue;
            }
            self.show(&verdict.text)?;
            for line in &verdict.lines {
                (self.say)(&self.page.typed("    ", &self.stage.dress.text(line)))?;
            }
            self.show(&asked.answer)?;
        }
        Ok(())
    }

    fn show(&self, markdown: &str) -> Outcome {
        if markdown.is_empty() {
            return Ok(());
        }
        (self.say)(&self.page.markdown(&self.stage.dress.text(markdown)))
    }
}

/// The same act three ways: friendly command, Kafka's script, requests of the protocol.
pub fn three_ways(words: &Words, dress: &Dress, step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    let mut part = |name: &str, commands: Vec<String>| {
        for (number, command) in commands.iter().enumerate() {
            let name = if number == 0 { words.say(name) } else { "" };
            lines.push(format!("  {name:<8} {}", dress.text(command)));
        }
    };
    let own = step.acts.iter().any(|act| act.python.is_some());
    let name = if own { "ways.python" } else { "ways.velo" };
    part(name, hint::commands(step, Face::Velo));
    part("ways.kafka", hint::commands(step, Face::Kafka));
    if !step.api.is_empty() {
        part("ways.api", vec![step.api.join(", ")]);
    }
    if !lines.is_empty() {
        lines.insert(0, words.say("ways.title").to_owned());
        lines.insert(0, String::new());
    }
    lines
}

/// What is to be done to the brokers of somebody else's cluster in a step, a sentence each.
pub fn elsewhere(words: &Words, dress: &Dress, step: &Step) -> Vec<String> {
    let acts = step.acts.iter().filter_map(|act| dress.act(act).broker);
    acts.map(|act| on_broker(words, act)).collect()
}

fn on_broker(words: &Words, act: BrokerAct) -> String {
    let key = format!("elsewhere.{}", act.name());
    words.fill(&key, &[("broker", &act.id().to_string())])
}

fn step_failed(words: &Words, step: &Step, findings: &[Finding]) -> Failure {
    let missing: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.passed)
        .map(|finding| finding.line(words).trim().to_owned())
        .collect();
    Failure::request(words.fill("play.failed", &[("step", &step.id)])).because(missing.join("; "))
}

/// Acts one act out before the audience.
fn perform(
    stage: &mut Stage<'_>,
    audience: &mut Audience<'_>,
    act: &Act,
    pause: &dyn Fn() -> Outcome,
) -> Outcome {
    let shown = stage.dress.act(act);
    if let Some(terminal) = shown.ends() {
        audience.rest()?;
        audience.typed(terminal, if shown.kill.is_some() { "kill -9" } else { "Ctrl-C" })?;
    }
    if let Some(broker) = shown.broker.filter(|_| !stage.own_brokers) {
        audience.say(&audience.page.markdown(&on_broker(audience.words, broker)))?;
    } else if let Some(command) = shown.command() {
        audience.typed(shown.terminal.as_deref().unwrap_or_default(), command)?;
    }
    if let Some(typed) = &shown.stdin {
        for line in typed.lines() {
            audience.say(&format!("  > {line}"))?;
        }
    }
    let words = audience.words;
    let failed = |key| {
        let command = shown.command().map_or("", String::as_str);
        Failure::request(words.fill(key, &[("command", command)]))
    };
    pause()?;
    let ended = stage.act(act, &mut |line| audience.hear(&line))?;
    match ended {
        Ended::Code(0) => pause(),
        Ended::Code(code) => {
            let why = words.fill("play.exit-code", &[("code", &code.to_string())]);
            Err(failed("play.command-failed").because(why))
        }
        Ended::Taken => Err(failed("play.command-taken")),
        Ended::Late | Ended::Interrupted => Err(failed("play.command-late")),
    }
}

/// Shows what programs write: all of a command that ends, the first lines of one that goes on.
struct Audience<'a> {
    page: Page,
    words: &'a Words,
    say: Say<'a>,
    heard: BTreeMap<String, usize>,
    failed: Outcome,
}

impl<'a> Audience<'a> {
    fn new(page: Page, words: &'a Words, say: Say<'a>) -> Self {
        Audience {
            page,
            words,
            say,
            heard: BTreeMap::new(),
            failed: Ok(()),
        }
    }

    fn say(&self, text: &str) -> Outcome {
        (self.say)(text)
    }

    fn name(&self, terminal: &str) -> String {
        self.words.fill("play.terminal", &[("n", terminal)])
    }

    fn typed(&self, terminal: &str, command: &str) -> Outcome {
        let prompt = if terminal.is_empty() {
            "  $ ".to_owned()
        } else {
            format!("  {} $ ", self.name(terminal))
        };
        self.say(&self.page.typed(&prompt, command))
    }

    fn hear(&mut self, line: &Line) {
        let shown = if line.terminal.is_empty() {
            self.say(&format!("  {}", harmless(&line.text)))
        } else {
            let heard = self.heard.entry(line.terminal.clone()).or_default();
            *heard += 1;
            if *heard > SHOWN {
                return;
            }
            self.say(&format!(
                "  {} │ {}",
                self.name(&line.terminal),
                harmless(&line.text)
            ))
        };
        if shown.is_err() {
            self.failed = shown;
        }
    }

    /// Says how much more was written than shown.
    fn rest(&mut self) -> Outcome {
        for (terminal, heard) in std::mem::take(&mut self.heard) {
            if let Some(more) = heard.checked_sub(SHOWN).filter(|more| *more > 0) {
                let text = self.words.fill("play.more", &[("n", &more.to_string())]);
                self.say(&self.page.faint(&format!("  {} │ {text}", self.name(&terminal))))?;
            }
        }
        std::mem::replace(&mut self.failed, Ok(()))
    }
}
