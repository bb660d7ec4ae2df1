//! Which cluster a lesson is on: the one that answers, or one that is started for it.

use super::{Desk, folder};
use crate::commands::Address;
use crate::commands::cluster::launch::Temporary;
use crate::commands::cluster::nearby::{self, Meant, WayOut};
use crate::course::live::Live;
use crate::failure::{Failure, Kind, Outcome};
use crate::i18n::Words;
use crate::kafka::{Admin, Connection};
use crate::ui::confirm::Question;
use std::path::PathBuf;
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

/// The cluster of [`of_lesson`]; where it does not answer, the classroom cluster is started, with the learner's consent.
pub(super) fn answering(desk: &Desk<'_>, begun_on: &str, yes: bool) -> Outcome<(Connection, Live)> {
    let context = desk.context;
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

/// A cluster for one demonstration: on a free port, in a temporary folder; both go away with it.
pub(super) struct Own {
    launched: Option<Temporary>,
    folder: PathBuf,
}

impl Own {
    /// Starts it.
    pub(super) fn start() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("velo-lesson-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder)
            .map_err(|error| Failure::request(format!("cannot make {}", folder.display())).because(error))?;
        // The folder goes away even when the cluster does not start.
        let mut own = Own {
            launched: None,
            folder,
        };
        own.launched = Some(Temporary::start(&own.folder)?);
        Ok(own)
    }

    /// How to reach it.
    pub(super) fn connection(&self) -> Outcome<Connection> {
        let bootstrap = self.launched.as_ref().map_or("", Temporary::bootstrap);
        Connection::new(bootstrap, None)
    }

    /// Stops it and removes its folder.
    pub(super) fn end(mut self) -> Outcome {
        let stopped = self.launched.take().map_or(Ok(()), Temporary::stop);
        let removed = folder::remove(&self.folder);
        stopped.and(removed)
    }
}

impl Drop for Own {
    /// Only on the way out of a failure, whose own words matter more than those of the tidying.
    fn drop(&mut self) {
        if let Some(launched) = self.launched.take() {
            let _ = launched.stop();
        }
        let _ = folder::remove(&self.folder);
    }
}
