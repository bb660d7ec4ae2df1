//! A member of a group at work, in the order that loses nothing: partitions are given and their state comes back, records are
//! read, worked on, what follows from them is written, and only then are their offsets committed; before partitions go to
//! others, what is in hand is finished and committed.
//!
//! Killed anywhere in between, the next member reads again what was not committed, and nothing else.

use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::{Assigned, Gathered, Limits, Progress, Received, Start};
use crate::kafka::{Admin, Connection, GroupConsumer};
use crate::ui::Ui;
use crate::ui::wait::Wait;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Per partition, the offset of the next record to read.
pub type Next = BTreeMap<i32, i64>;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// What follows from the records before these offsets is written: they are to be committed.
    Written(Next),
    /// These offsets are committed already, with what follows from their records.
    Committed(Next),
    /// Nothing of it is written, for that reason: it is read again from what the group has committed.
    Again(String),
    /// The records are of another topic that has the name now.
    Replaced,
}

impl Turn {
    /// Nothing was in hand.
    pub fn nothing() -> Self {
        Turn::Written(Next::new())
    }
}

/// The member that works, as its work may see it.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Its place in the group.
    pub consumer: &'a GroupConsumer,
    /// How far it is.
    pub progress: &'a Progress,
    /// Fails once the program is to end: for whatever is waited for.
    pub go_on: &'a dyn Fn() -> Outcome,
}

/// What a member does with its records.
pub trait Work {
    /// How much to read for one batch.
    fn limits(&self) -> Limits;

    /// Brings back what is remembered of these partitions, before their first record is read. What was remembered of others
    /// is theirs now.
    ///
    /// # Errors
    /// Ends the work.
    fn restore(&mut self, member: Member<'_>, assigned: &[Assigned]) -> Outcome;

    /// The member is about to read; answers what to say of it behind its partitions.
    ///
    /// # Errors
    /// Ends the work.
    fn begin(&mut self, member: Member<'_>, assigned: &[Assigned]) -> Outcome<String>;

    /// Works on records that came together, in order, and begins to write what follows. May answer for earlier ones only;
    /// what of the batch is not answered for is in hand.
    ///
    /// # Errors
    /// Ends the work.
    fn work(&mut self, member: Member<'_>, batch: Vec<Received>) -> Outcome<Turn>;

    /// Finishes what is in hand: there is nothing to read, the partitions are about to go, or the program is about to end.
    ///
    /// # Errors
    /// Ends the work.
    fn finish(&mut self, _member: Member<'_>) -> Outcome<Turn> {
        Ok(Turn::nothing())
    }

    /// Whether nothing is in hand.
    fn is_idle(&self) -> bool {
        true
    }

    /// What is to be done by the clock: called often, also while there is nothing to read.
    ///
    /// # Errors
    /// Ends the work.
    fn tick(&mut self, _member: Member<'_>) -> Outcome<Turn> {
        Ok(Turn::nothing())
    }

    /// Drops what is remembered: the partitions are others', or what they were remembered for is void.
    fn forget(&mut self);

    /// The topic was deleted and made again: what is in hand of the old one is still written, its offsets mean nothing.
    ///
    /// # Errors
    /// Ends the work.
    fn abandon(&mut self, _member: Member<'_>) -> Outcome {
        Ok(())
    }
}

/// Which member, and how it works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The topic to read.
    pub topic: String,
    /// The group that shares the work.
    pub group: String,
    /// Where to begin in partitions that the group has committed nothing for.
    pub start: Start,
    /// `group.instance.id`, for a member that is known again when it comes back.
    pub instance: Option<String>,
    /// How long written batches may wait for their commit; zero commits each at once.
    pub commit_every: Duration,
    /// End once everything that was there at the start is dealt with.
    pub exit_at_end: bool,
}

/// A member at work.
pub struct Worker<'a> {
    connection: &'a Connection,
    settings: &'a Settings,
    ui: Ui,
    consumer: GroupConsumer,
    progress: Progress,
    /// What is written and waits for its commit.
    held: Next,
    /// When the last commit was.
    committed: Instant,
    /// Until the group has given this member its share.
    joining: Option<Wait>,
}

impl<'a> Worker<'a> {
    /// Joins the group. `joining` is told to be over when the member has its share.
    ///
    /// # Errors
    /// As [`GroupConsumer::join`].
    pub fn join(connection: &'a Connection, settings: &'a Settings, ui: Ui, joining: Wait) -> Outcome<Self> {
        let Settings {
            group, topic, start, ..
        } = settings;
        let instance = settings.instance.as_deref();
        Ok(Worker {
            connection,
            settings,
            ui,
            consumer: GroupConsumer::join_as(connection, group, topic, *start, instance)?,
            progress: Progress::default(),
            held: Next::new(),
            committed: Instant::now(),
            joining: Some(joining),
        })
    }

    /// What to say while the group makes up its mind.
    pub fn joining(ui: Ui, topic: &str, group: &str) -> Wait {
        ui.waiting_for(format!("a share of `{topic}` in group `{group}`"))
    }

    /// How many records of this member's partitions are not committed; none when the cluster does not say.
    pub fn lag(&self) -> Option<i64> {
        self.consumer.lag(&self.progress)
    }

    /// Works until `go_on` fails, or all that was there is dealt with, if the settings say so.
    ///
    /// # Errors
    /// What `go_on` and the work say, and when the cluster cannot be read.
    pub fn run(&mut self, work: &mut impl Work, go_on: &dyn Fn() -> Outcome) -> Outcome {
        loop {
            let batch = self.read(work, go_on)?;
            let turn = if batch.is_empty() {
                work.finish(self.member(go_on))?
            } else {
                work.work(self.member(go_on), batch)?
            };
            self.take(work, go_on, turn)?;
            let turn = work.tick(self.member(go_on))?;
            self.take(work, go_on, turn)?;
            let stop = go_on();
            if stop.is_err() {
                let turn = work.finish(self.member(go_on))?;
                self.take(work, go_on, turn)?;
            }
            if stop.is_err() || (self.settings.exit_at_end && work.is_idle()) {
                self.commit_held()?;
            }
            if self.is_done(work) {
                return Ok(());
            }
            stop?;
        }
    }

    /// Leaves the group at once, also as a static member.
    ///
    /// # Errors
    /// When the group's coordinator does not answer.
    pub fn leave(self) -> Outcome {
        let Worker {
            consumer,
            connection,
            settings,
            ..
        } = self;
        drop(consumer);
        settings.instance.as_deref().map_or(Ok(()), |instance| {
            GroupConsumer::remove_instance(connection, &settings.group, instance)
        })
    }

    /// Leaves the group as a program that may be started again at once: while no other member waits for its partitions, it
    /// stays a static member until it is missed, and has them at once if it is back by then.
    ///
    /// # Errors
    /// As [`Worker::leave`].
    pub fn pause(self) -> Outcome {
        let members = Admin::connect(self.connection)
            .and_then(|admin| admin.describe_group(&self.settings.group))
            .map(|group| group.members.len());
        match members {
            Ok(..=1) => Ok(()),
            _ => self.leave(),
        }
    }

    fn member<'b>(&'b self, go_on: &'b dyn Fn() -> Outcome) -> Member<'b> {
        Member {
            consumer: &self.consumer,
            progress: &self.progress,
            go_on,
        }
    }

    /// Records that came together, none after a rebalance. A cluster that is away is waited for, and joined again.
    fn read(&mut self, work: &mut impl Work, go_on: &dyn Fn() -> Outcome) -> Outcome<Vec<Received>> {
        let gathered = self.consumer.gather(work.limits(), &|| go_on().is_err());
        let nothing = |()| Vec::new();
        let begun = match gathered {
            Ok(Gathered::Records(batch)) => return Ok(batch),
            Ok(Gathered::Revoked) => return self.hand_over(work, go_on).map(nothing),
            Ok(Gathered::Replaced) => return self.begin_anew(work, go_on).map(nothing),
            Ok(Gathered::Assigned(assigned)) => self.begin(work, go_on, &assigned),
            Ok(Gathered::Trouble(why)) => {
                self.ui.say(format!("the cluster: {why}; trying again"));
                Ok(())
            }
            Err(failure) => Err(failure),
        };
        match begun {
            Err(away) if is_away(&away) => self.take(work, go_on, Turn::Again(away.in_a_line()))?,
            begun => begun?,
        }
        Ok(Vec::new())
    }

    /// Finishes and commits before the partitions go to others.
    fn hand_over(&mut self, work: &mut impl Work, go_on: &dyn Fn() -> Outcome) -> Outcome {
        let turn = work.finish(self.member(go_on))?;
        self.take(work, go_on, turn)?;
        self.commit_held()?;
        self.forget(work);
        Ok(())
    }

    fn forget(&mut self, work: &mut impl Work) {
        work.forget();
        self.progress = Progress::default();
        self.held.clear();
    }

    fn begin(&mut self, work: &mut impl Work, go_on: &dyn Fn() -> Outcome, assigned: &[Assigned]) -> Outcome {
        self.joining = None;
        self.forget(work);
        work.restore(self.member(go_on), assigned)?;
        // The first commit of all says where the group began: what is remembered without it is another topic's.
        self.progress = Progress::begin(&self.consumer, assigned)?;
        let more = work.begin(self.member(go_on), assigned)?;
        self.ui.say(format!(
            "group `{}`: {} of `{}`{more}",
            self.settings.group,
            self.progress.partitions(),
            self.settings.topic
        ));
        Ok(())
    }

    /// Deals with what became of a batch.
    fn take(&mut self, work: &mut impl Work, go_on: &dyn Fn() -> Outcome, turn: Turn) -> Outcome {
        match turn {
            Turn::Written(next) => {
                self.held.extend(next);
                if self.committed.elapsed() < self.settings.commit_every {
                    return Ok(());
                }
                self.commit_held()
            }
            Turn::Committed(next) => {
                self.progress.note(next);
                Ok(())
            }
            Turn::Again(why) => {
                self.ui
                    .say(format!("{why}; reading again from what is committed"));
                self.forget(work);
                self.rejoin(go_on)
            }
            Turn::Replaced => self.begin_anew(work, go_on),
        }
    }

    fn commit_held(&mut self) -> Outcome {
        self.committed = Instant::now();
        self.progress
            .commit(&self.consumer, std::mem::take(&mut self.held))
    }

    /// Joins for the topic that has taken the place of the one that was read. What is on its way of the old one is written;
    /// its offsets mean nothing any more.
    fn begin_anew(&mut self, work: &mut impl Work, go_on: &dyn Fn() -> Outcome) -> Outcome {
        work.abandon(self.member(go_on))?;
        self.ui.say(format!(
            "topic `{}` was deleted and made again: reading the new one from its beginning",
            self.settings.topic
        ));
        self.forget(work);
        self.rejoin(go_on)
    }

    /// Joins again, however long the cluster is away.
    fn rejoin(&mut self, go_on: &dyn Fn() -> Outcome) -> Outcome {
        /// Between two attempts.
        const PAUSE: Duration = Duration::from_millis(500);
        loop {
            match self.consumer.successor() {
                Ok(successor) => {
                    self.consumer = successor;
                    return Ok(());
                }
                Err(away) if is_away(&away) => {
                    go_on()?;
                    std::thread::sleep(PAUSE);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn is_done(&self, work: &impl Work) -> bool {
        self.settings.exit_at_end
            && work.is_idle()
            && self.held.is_empty()
            && self.progress.is_complete(&self.consumer)
    }
}

fn is_away(failure: &Failure) -> bool {
    failure.kind() == crate::failure::Kind::Unreachable
}
