//! Acts a lesson's commands out and waits for their effect: what demonstration and live lint have in common.

use super::began;
use super::check::{self, Check, Finding};
use super::dress::Dress;
use super::facts::ClusterFacts;
use super::look::Look;
use super::model::{Act, Step};
use super::program::{Ended, Line, Programs};
use crate::failure::{Failure, Kind, Outcome};
use crate::i18n::Words;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long a check is waited for, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the cluster is looked at while waiting.
const LOOK: Duration = Duration::from_millis(250);

/// How long members may be seen to come and go by themselves: one that ended without a goodbye is missed after a session of some
/// seconds, and one that a busy machine has kept from telling that it lives joins again.
const COMING_AND_GOING: Duration = Duration::from_secs(30);

/// A cluster to act on, and the programs that act.
pub struct Stage<'a> {
    /// What is read from the cluster.
    pub facts: &'a dyn ClusterFacts,
    /// This learner's names.
    pub dress: Dress,
    /// The programs.
    pub programs: Programs,
    /// Whether the user has pressed Ctrl-C.
    pub interrupted: &'a dyn Fn() -> bool,
    /// The language of what is told.
    pub words: &'a Words,
    /// Who was there when the step began.
    pub began: BTreeSet<String>,
    /// Whether the brokers can be stopped and started from here.
    pub own_brokers: bool,
}

impl Stage<'_> {
    /// Notes what a step begins with. Who is to be taken over is waited for.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn begin(&mut self, step: &Step) -> Outcome {
        let checks = self.dress.checks(step);
        let somebody = checks.iter().any(|check| check.fact.since_the_start().is_some());
        let facts = self.facts;
        self.began = self.settled(
            || began::members(facts, &checks),
            |found| !somebody || !found.is_empty(),
        )?;
        Ok(())
    }

    /// Looks until what is found is as it should be, or members have had the time to come and go; what was found last.
    ///
    /// # Errors
    /// When the cluster does not answer, or the user interrupts.
    pub fn settled<T>(&self, look: impl Fn() -> Outcome<T>, as_it_should: impl Fn(&T) -> bool) -> Outcome<T> {
        let deadline = Instant::now() + COMING_AND_GOING;
        loop {
            let found = look()?;
            if as_it_should(&found) || Instant::now() > deadline {
                return Ok(found);
            }
            if (self.interrupted)() {
                return Err(Failure::interrupted());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The checks of the step that was begun.
    pub fn checks(&self, step: &Step) -> Vec<Check> {
        self.dress.checks(step)
    }

    /// The cluster as it is now.
    pub fn look(&self) -> Look<'_> {
        Look::at(self.facts, self.began.clone())
    }

    /// Acts one act out.
    ///
    /// # Errors
    /// When the program cannot be started, or the user interrupts.
    pub fn act(&mut self, act: &Act, show: &mut dyn FnMut(Line)) -> Outcome<Ended> {
        let act = self.dress.act(act);
        if let Some(terminal) = &act.stop {
            self.programs.stop(terminal);
            self.programs.read(Duration::ZERO, show);
        }
        if let Some(terminal) = &act.kill {
            self.programs.kill(terminal)?;
            self.programs.read(Duration::ZERO, show);
        }
        if let Some(broker) = act.broker.filter(|_| !self.own_brokers) {
            // Whoever has that broker does it; what follows builds on it.
            let done = [Check::serves(broker.id(), broker.serves())];
            let done = self.wait(&done, show)?;
            return Ok(if check::passed(&done) {
                Ended::Code(0)
            } else {
                Ended::Late
            });
        }
        let Some(command) = act.command() else {
            return Ok(Ended::Code(0));
        };
        if let Some(terminal) = &act.terminal {
            self.programs.start(terminal, command)?;
            return Ok(Ended::Code(0));
        }
        match self
            .programs
            .run(command, act.stdin.as_deref(), self.interrupted, show)?
        {
            Ended::Interrupted => Err(Failure::interrupted()),
            ended if act.refused => Ok(ended.as_refusal()),
            ended => Ok(ended),
        }
    }

    fn comes_and_goes(&self, failure: &Failure) -> bool {
        failure.kind() == Kind::Unreachable && self.dress.needs_brokers()
    }

    /// Makes the topics that a step needs and that are not there, and says which.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn set_up(&self, step: &Step) -> Outcome<Vec<String>> {
        set_up(self.facts, &self.dress, step)
    }

    /// Looks at the cluster until every check passes or the time is over; what it saw last.
    ///
    /// # Errors
    /// When the cluster does not answer, a program that should go on has ended, or the user interrupts.
    pub fn wait(&mut self, checks: &[Check], show: &mut dyn FnMut(Line)) -> Outcome<Vec<Finding>> {
        let patience = checks
            .iter()
            .map(|check| check.within.map_or(PATIENCE, Duration::from_secs))
            .max()
            .unwrap_or_default();
        let deadline = Instant::now() + patience;
        loop {
            let findings = match check::all(&self.look(), checks) {
                // Where brokers are stopped on purpose, the one that is asked may have gone just now.
                Err(failure) if self.comes_and_goes(&failure) && Instant::now() < deadline => None,
                found => Some(found?),
            };
            if let Some(findings) = findings
                && (check::passed(&findings) || Instant::now() > deadline)
            {
                // What brought it about may still be on its way here.
                self.programs.read(LOOK, show);
                return Ok(findings);
            }
            self.programs.read(LOOK, show);
            if (self.interrupted)() {
                return Err(Failure::interrupted());
            }
            if let Some((terminal, code)) = self.programs.ended().into_iter().next() {
                self.programs.read(LOOK, show);
                let code = code.to_string();
                return Err(
                    Failure::request(self.words.fill("play.ended", &[("n", &terminal)]))
                        .because(self.words.fill("play.exit-code", &[("code", &code)])),
                );
            }
        }
    }
}

/// Makes the topics that a step needs and that are not there, and says which.
///
/// # Errors
/// When the cluster does not answer or refuses.
pub fn set_up(facts: &dyn ClusterFacts, dress: &Dress, step: &Step) -> Outcome<Vec<String>> {
    if step.setup.is_empty() {
        return Ok(Vec::new());
    }
    let there = facts.cluster()?.topics;
    let mut made = Vec::new();
    for setup in &step.setup {
        let topic = dress.name(&setup.topic);
        if !there.contains_key(&topic) {
            facts.create_topic(&topic, setup.partitions, setup.replication_factor)?;
            made.push(topic);
        }
    }
    Ok(made)
}
