//! Which cluster a lesson is on: the one that answers, or one that is started for it.

use super::{Desk, folder};
use crate::commands::Address;
use crate::commands::cluster::launch::Temporary;
use crate::commands::cluster::nearby::{self, Meant, WayOut};
use crate::commands::cluster::{ClusterFolder, DATA_VARIABLE};
use crate::course::live::Live;
use crate::course::model::Lesson;
use crate::failure::{Failure, Kind, Outcome};
use crate::i18n::Words;
use crate::kafka::{Admin, Connection};
use crate::ui::confirm::Question;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The cluster of this command line, else the one that the lesson was begun on; where that is gone, the one that runs.
pub(super) fn of_lesson(desk: &Desk<'_>, begun_on: &str) -> Outcome<Connection> {
    let context = desk.context;
    if context.address.is_named() || begun_on.is_empty() || begun_on == context.connection.bootstrap() {
        return Ok(context.connection.clone());
    }
    let begun = Connection::new(begun_on, context.command_config.as_deref())?;
    match (&context.address, begun.reach()) {
        (Address::Running(_), Err(gone)) if gone.kind() == Kind::Unreachable => {
            context.ui.say(desk.words.fill(
                "runner.other-cluster",
                &[
                    ("before", begun_on),
                    ("bootstrap", context.connection.bootstrap()),
                ],
            ));
            Ok(context.connection.clone())
        }
        _ => Ok(begun),
    }
}

/// The folder of the cluster that is started for lessons that need these brokers: beside whatever else runs.
pub(super) fn own_folder(desk: &Desk<'_>, lesson: &Lesson) -> PathBuf {
    let ids: Vec<String> = lesson.brokers.iter().map(i32::to_string).collect();
    desk.context
        .places
        .data
        .join(format!("course-cluster-{}", ids.join("-")))
}

/// The folder of the lesson's own cluster, when that is the one at these addresses.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn own_data(desk: &Desk<'_>, lesson: &Lesson, bootstrap: &str) -> Outcome<Option<PathBuf>> {
    if lesson.brokers.is_empty() {
        return Ok(None);
    }
    let folder = own_folder(desk, lesson);
    let shape = ClusterFolder::at(&folder).shape()?;
    Ok(shape
        .is_some_and(|shape| shape.bootstrap() == bootstrap)
        .then_some(folder))
}

/// How a cluster for a lesson is chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Where the lesson was begun; empty before.
    pub(super) begun_on: &'a str,
    /// Whether one is started without asking.
    pub(super) yes: bool,
    /// Whether a lesson that stops brokers has its own although a cluster is named: that one is the class's.
    pub(super) beside: bool,
}

/// Whether a lesson that was begun on brokers of its own is on those, whatever cluster is in use: the class's is.
pub(super) fn is_on_its_own(desk: &Desk<'_>, lesson: &Lesson, begun_on: &str) -> Outcome<bool> {
    let typed = desk.context.address.is_named() && desk.context.address.context().is_none();
    Ok(!typed && own_data(desk, lesson, begun_on)?.is_some())
}

/// The cluster of several brokers that a lesson needs: the one it was begun on, else one of its own, which is started with the
/// learner's consent.
fn with_brokers(desk: &Desk<'_>, lesson: &Lesson, wanted: Wanted<'_>) -> Outcome<(Connection, Live)> {
    let Wanted { begun_on, yes, .. } = wanted;
    let config = desk.context.command_config.as_deref();
    let is_the_class_s = desk.context.address.is_named() && begun_on == desk.context.connection.bootstrap();
    if !begun_on.is_empty() && !is_the_class_s {
        let begun = Connection::new(begun_on, config)?;
        if let Ok(admin) = Admin::connect(&begun) {
            return Ok((begun, Live::new(admin)));
        }
    }
    let root = own_folder(desk, lesson);
    let folder = ClusterFolder::at(&root);
    if folder.running()?.is_none() {
        let count = lesson.brokers.len().to_string();
        let ids: Vec<String> = lesson.brokers.iter().map(i32::to_string).collect();
        let said = [("n", count.as_str()), ("ids", &ids.join(", "))];
        if !yes {
            if !desk.context.ui.interactive() {
                return Err(
                    Failure::unreachable(desk.words.fill("error.needs-brokers", &said))
                        .hint(desk.words.say("error.start-hint")),
                );
            }
            let question = desk.words.fill("runner.start-brokers", &said);
            let question = Question {
                text: &question,
                lang: desk.words.lang(),
                by_default: true,
            };
            if !desk.context.ui.agrees(question)? {
                return Err(Failure::unreachable(
                    desk.words.fill("error.needs-brokers", &said),
                ));
            }
        }
        let _waiting = desk.context.ui.waiting_for("the lesson's brokers to start");
        start_several(&root, &lesson.brokers, None)?;
    }
    let bootstrap = bootstrap_of(&folder)?;
    let connection = Connection::new(&bootstrap, config)?;
    let live = Admin::connect(&connection).map(Live::new)?;
    Ok((connection, live))
}

fn bootstrap_of(folder: &ClusterFolder) -> Outcome<String> {
    let shape = folder.running()?;
    shape
        .map(|shape| shape.bootstrap())
        .ok_or_else(|| Failure::request(format!("no cluster runs in {}", folder.root().display())))
}

/// Starts brokers of these ids in a folder, each a process of its own on a port that the system chooses, or on the one it had.
fn start_several(folder: &Path, ids: &[i32], home: Option<&Path>) -> Outcome {
    let ids: Vec<String> = ids.iter().map(i32::to_string).collect();
    let again = ClusterFolder::at(folder).shape()?.is_some();
    let mut words = vec!["start".to_owned(), "--ids".to_owned(), ids.join(",")];
    if !again {
        words.extend(["--port".to_owned(), "0".to_owned()]);
    }
    run_quietly(folder, &words, home)
}

/// Does something to the cluster of a folder, as a command would. What it says is told only when it fails.
fn run_quietly(folder: &Path, words: &[String], home: Option<&Path>) -> Outcome {
    let failed = |why: &dyn std::fmt::Display| {
        let words = words.join(" ");
        Failure::request(format!("cannot {words} the cluster in {}", folder.display()))
            .because(why)
            .hint("velo doctor")
    };
    let executable = std::env::current_exe().map_err(|error| failed(&error))?;
    let mut command = Command::new(executable);
    command
        .arg("cluster")
        .args(words)
        .arg("--data")
        .arg(folder)
        .stdin(Stdio::null());
    if let Some(home) = home {
        command.env("VELO_HOME", home);
    }
    let output = command.output().map_err(|error| failed(&error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(failed(&said.trim().replace('\n', "; ")))
}

/// What programs of a lesson on a cluster of our own are told, so that they can stop and start its brokers.
pub(super) fn variable_of(folder: &Path) -> (String, String) {
    (DATA_VARIABLE.to_owned(), folder.display().to_string())
}

/// Whether the cluster of the context in use, which is named for all commands and not for this one, has fewer brokers than the
/// lesson needs.
fn has_too_few(desk: &Desk<'_>, lesson: &Lesson) -> Outcome<bool> {
    if !matches!(desk.context.address, Address::Context(_)) {
        return Ok(false);
    }
    let there = Admin::connect(&desk.context.connection)?.metadata()?.brokers;
    Ok(there.len() < lesson.brokers.len())
}

/// The cluster of [`of_lesson`]; where it does not answer, the classroom cluster is started, with the learner's consent. A
/// lesson that needs brokers of its own gets them beside what runs.
pub(super) fn answering(desk: &Desk<'_>, lesson: &Lesson, wanted: Wanted<'_>) -> Outcome<(Connection, Live)> {
    let context = desk.context;
    if !lesson.brokers.is_empty() {
        let named = context.address.is_named() && !has_too_few(desk, lesson)?;
        if wanted.beside || !named {
            return with_brokers(desk, lesson, wanted);
        }
    }
    let Wanted { begun_on, yes, .. } = wanted;
    let waiting = context.ui.waiting_for("an answer from the cluster");
    let connection = of_lesson(desk, begun_on)?;
    let failure = match Admin::connect(&connection) {
        Ok(admin) => return Ok((connection, Live::new(admin))),
        Err(failure) => failure,
    };
    drop(waiting);
    let port = match context.address.nearby(&connection, &context.places)? {
        _ if failure.kind() != Kind::Unreachable => return Err(failure),
        WayOut::Start(port) => port,
        // Only where no address is named is another port as good.
        WayOut::Taken(port) if context.address == Address::Default => Some(port),
        _ => return Err(failure),
    };
    if !yes {
        if !context.ui.interactive() {
            return Err(context.advise(failure).hint(desk.words.say("error.start-hint")));
        }
        let question = desk
            .words
            .fill("runner.start-cluster", &[("bootstrap", connection.bootstrap())]);
        let question = Question {
            text: &question,
            lang: desk.words.lang(),
            by_default: true,
        };
        if !context.ui.agrees(question)? {
            return Err(failure);
        }
    }
    start(port, &desk.words)?;
    let connection = match (&context.address, nearby::meant(&context.places)?) {
        (Address::Default, Meant::This(started)) => {
            Connection::new(&started.shape.bootstrap(), context.command_config.as_deref())?
        }
        _ => connection,
    };
    let live = Admin::connect(&connection).map(Live::new)?;
    Ok((connection, live))
}

/// As the learner would: `velo cluster start`, on the port it gets by itself or on another.
fn start(port: Option<u16>, words: &Words) -> Outcome {
    let failed = || Failure::request(words.say("error.not-started")).hint("velo cluster start");
    let port = port.map(|port| format!("--port={port}"));
    let status = std::env::current_exe()
        .and_then(|executable| {
            Command::new(executable)
                .args(["cluster", "start"])
                .args(port)
                .stdin(Stdio::null())
                .status()
        })
        .map_err(|error| failed().because(error))?;
    if status.success() { Ok(()) } else { Err(failed()) }
}

/// A cluster for one demonstration: on free ports, in a temporary folder; both go away with it.
pub(super) struct Own {
    launched: Option<Launched>,
    folder: PathBuf,
}

/// The processes of a demonstration's cluster.
enum Launched {
    /// One node.
    One(Temporary),
    /// Several, which the demonstration stops and starts.
    Several,
}

impl Own {
    /// Starts it, with these brokers; without any, with one.
    pub(super) fn start(brokers: &[i32]) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("velo-lesson-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder)
            .map_err(|error| Failure::request(format!("cannot make {}", folder.display())).because(error))?;
        // The folder goes away even when the cluster does not start.
        let mut own = Own {
            launched: None,
            folder,
        };
        if brokers.is_empty() {
            own.launched = Some(Launched::One(Temporary::start(&own.folder)?));
        } else {
            own.launched = Some(Launched::Several);
            start_several(&own.folder, brokers, Some(&own.folder))?;
        }
        Ok(own)
    }

    /// How to reach it.
    pub(super) fn connection(&self) -> Outcome<Connection> {
        let bootstrap = match &self.launched {
            Some(Launched::One(node)) => node.bootstrap().to_owned(),
            _ => bootstrap_of(&ClusterFolder::at(&self.folder))?,
        };
        Connection::new(&bootstrap, None)
    }

    /// What its programs are told besides where it is.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        match &self.launched {
            Some(Launched::Several) => vec![
                variable_of(&self.folder),
                // It stays nobody's cluster, whoever starts its brokers again.
                ("VELO_HOME".to_owned(), self.folder.display().to_string()),
            ],
            _ => Vec::new(),
        }
    }

    fn stop(&mut self) -> Outcome {
        match self.launched.take() {
            None => Ok(()),
            Some(Launched::One(node)) => node.stop(),
            Some(Launched::Several) => {
                let home = Some(self.folder.as_path());
                // One that was paused would not hear that it shall stop.
                let resumed = run_quietly(&self.folder, &["resume".to_owned()], home);
                let stopped = run_quietly(&self.folder, &["stop".to_owned()], home);
                stopped.or(resumed)
            }
        }
    }

    /// Stops it and removes its folder.
    pub(super) fn end(mut self) -> Outcome {
        let stopped = self.stop();
        let removed = folder::remove(&self.folder);
        stopped.and(removed)
    }
}

impl Drop for Own {
    /// Only on the way out of a failure, whose own words matter more than those of the tidying.
    fn drop(&mut self) {
        let _ = self.stop();
        let _ = folder::remove(&self.folder);
    }
}
