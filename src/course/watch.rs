//! Watching the cluster while the learner acts: what has come true, what is a near miss, and a cluster that is away.

use super::check::{self, Finding};
use super::look::Look;
use super::model::Step;
use super::runner::Runner;
use super::slip::{Scene, Slip};
use super::snapshot::Snapshot;
use super::talk::Talk;
use crate::failure::{Failure, Kind, Outcome};
use crate::ui::foreign::harmless;
use std::path::Path;

/// What watching has seen of a step.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The step is passed.
    pub(super) passed: bool,
    /// What it starts from is made.
    begun: bool,
    /// The checks that have been told to hold.
    seen: Vec<String>,
    /// What was found when the step began.
    first: Vec<Finding>,
    /// The near misses that were told and are still there.
    told: Vec<Slip>,
    /// The cluster was away at the last look, and the learner knows.
    away: bool,
}

impl Runner<'_> {
    /// Looks at the cluster once, and says what has come true since the last look.
    ///
    /// # Errors
    /// When the talk or the progress file cannot be written.
    pub(super) fn look(&self, step: &Step, watch: &mut Watch, talk: &mut dyn Talk) -> Outcome {
        let mut found = None;
        self.patiently_with(watch, talk, |watch, talk| {
            if !watch.begun {
                self.begin(step, talk)?;
                watch.first = check::all(&self.look_now(step)?, &self.checks(step))?;
                watch.begun = true;
                return Ok(());
            }
            if !watch.passed && !step.checks.is_empty() {
                let look = self.look_now(step)?;
                let findings = check::all(&look, &self.checks(step))?;
                let before = self.progress()?.before;
                let slips = self.scene(&look, &before, &watch.first).slips(&findings)?;
                let beliefs = match check::passed(&findings) {
                    true => Vec::new(),
                    false => self.shown(step, &look)?,
                };
                found = Some((findings, slips, beliefs));
            } else if watch.away {
                self.facts.cluster()?;
            }
            Ok(())
        })?;
        match found {
            Some((findings, slips, beliefs)) => {
                self.tell(step, &findings, slips, watch, talk)?;
                self.name_beliefs(step, &beliefs, talk)?;
                self.tell_class(Some(step), &findings, talk)
            }
            None => self.tell_class(Some(step), &watch.first, talk),
        }
    }

    fn scene<'a>(&'a self, look: &'a Look<'a>, before: &'a Snapshot, first: &'a [Finding]) -> Scene<'a> {
        Scene {
            lesson: self.lesson,
            look,
            dress: &self.dress,
            before,
            first,
            words: self.words,
            in_class: self.class.is_some(),
        }
    }

    fn tell(
        &self,
        step: &Step,
        findings: &[Finding],
        slips: Vec<Slip>,
        watch: &mut Watch,
        talk: &mut dyn Talk,
    ) -> Outcome {
        for finding in findings.iter().filter(|finding| finding.passed) {
            if !watch.seen.contains(&finding.check.name) {
                watch.seen.push(finding.check.name.clone());
                self.say_finding(finding, talk)?;
            }
        }
        for slip in slips.iter().filter(|slip| !watch.told.contains(slip)) {
            talk.say(&self.page.markdown(&slip.text))?;
            for command in &slip.commands {
                talk.say(&self.page.typed("    ", command))?;
            }
        }
        watch.told = slips;
        if check::passed(findings) {
            watch.passed = true;
            self.succeed(step, talk)?;
            talk.say(&self.page.faint(self.words.say("runner.menu-next")))?;
        }
        Ok(())
    }

    /// Does something that asks the cluster. One that is away is waited for: the learner is told once, and told again when
    /// it is back.
    ///
    /// # Errors
    /// Whatever else goes wrong.
    pub(super) fn patiently(
        &self,
        watch: &mut Watch,
        talk: &mut dyn Talk,
        act: impl FnOnce(&mut dyn Talk) -> Outcome,
    ) -> Outcome {
        self.patiently_with(watch, talk, |_, talk| act(talk))
    }

    fn patiently_with(
        &self,
        watch: &mut Watch,
        talk: &mut dyn Talk,
        act: impl FnOnce(&mut Watch, &mut dyn Talk) -> Outcome,
    ) -> Outcome {
        match act(watch, talk) {
            Ok(()) if watch.away => {
                watch.away = false;
                talk.say(&self.page.verdict(true, self.words.say("runner.back-again")))
            }
            Err(failure) if failure.kind() == Kind::Unreachable => {
                if watch.away {
                    return Ok(());
                }
                watch.away = true;
                self.say_away(&failure, talk)
            }
            other => other,
        }
    }

    /// Says that the cluster is away, and how it is started again where that can be done from here.
    fn say_away(&self, failure: &Failure, talk: &mut dyn Talk) -> Outcome {
        let bootstrap = self.dress.bootstrap();
        let said = self.words.fill("runner.away", &[("bootstrap", bootstrap)]);
        talk.say(&self.page.verdict(false, &said))?;
        match start_again(bootstrap, self.own_data.as_deref()) {
            Some(command) => {
                talk.say(&self.page.markdown(self.words.say("runner.start-again")))?;
                talk.say(&self.page.typed("    ", &command))
            }
            None => talk.say(&harmless(&failure.in_a_line())),
        }
    }
}

/// The command that starts the cluster at these addresses again, where that can be done from here; `own_data` is the folder of a
/// cluster that was started for the lesson.
pub fn start_again(bootstrap: &str, own_data: Option<&Path>) -> Option<String> {
    if let Some(folder) = own_data {
        return Some(format!("velo cluster start --data {}", folder.display()));
    }
    let (host, port) = bootstrap.rsplit_once(':')?;
    matches!(host, "localhost" | "127.0.0.1" | "[::1]").then(|| format!("velo cluster start --port {port}"))
}
