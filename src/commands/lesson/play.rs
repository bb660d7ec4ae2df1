//! `velo lesson play`: a lesson that runs by itself.

use super::cluster::Own;
use super::{Desk, Terminal, folder, reset};
use crate::commands::candidates;
use crate::course::dress::{self, Dress};
use crate::course::facts::ClusterFacts;
use crate::course::live::Live;
use crate::course::mailbox::Mailbox;
use crate::course::model::Lesson;
use crate::course::play::{Play, Say};
use crate::course::program::Programs;
use crate::course::python;
use crate::course::snapshot::Snapshot;
use crate::course::stage::Stage;
use crate::course::talk::{Heard, Talk};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Connection};
use crate::ui::Interrupt;
use crate::ui::output::write_styled;
use clap::Args;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `velo lesson play`.
#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// Which lesson
    #[arg(add = candidates::lessons())]
    lesson: String,
    /// Begin the names of topics and groups with this
    #[arg(long, default_value = "")]
    prefix: String,
    /// Wait for Enter before each command, after it and after each step, for a projector
    #[arg(long)]
    pause: bool,
}

pub(super) fn run(desk: &Desk<'_>, args: &PlayArgs) -> Outcome {
    dress::valid_prefix(&args.prefix, &desk.words)?;
    let lesson = desk.source.lesson(&args.lesson, &desk.words)?;
    let words = &desk.words;
    let page = desk.page();
    let audience = Audience::default();
    let say = |text: &str| audience.line(text);
    let listener = args
        .pause
        .then(|| Terminal::open(desk.context.ui))
        .transpose()?
        .map(RefCell::new);
    let pause = || {
        listener
            .as_ref()
            .map_or(Ok(()), |talk| enter(&mut *talk.borrow_mut()))
    };
    let played = say(&page.rule(&lesson.prose(words.lang()).title)).and_then(|()| {
        on_a_cluster(desk, &lesson, &args.prefix, &say, &mut |stage| {
            Play {
                lesson: &lesson,
                words,
                stage,
                page,
                say: &say,
                pause: &pause,
            }
            .run()
        })
    });
    if audience.left.get() { Ok(()) } else { played }
}

/// Waits for Enter; where nobody types, for nothing.
fn enter(talk: &mut dyn Talk) -> Outcome {
    while talk.next(Duration::from_secs(60))? == Heard::Nothing {}
    Ok(())
}

/// Who reads stdout. When nobody does any more (`… | head`), the play ends as by Ctrl-C, with everything it started,
/// and that is success.
#[derive(Default)]
pub(super) struct Audience {
    left: Cell<bool>,
}

impl Audience {
    pub(super) fn line(&self, text: &str) -> Outcome {
        if self.left.get() {
            return Err(Failure::interrupted());
        }
        write_styled(text).map_err(|error| {
            let gone = error.kind() == io::ErrorKind::BrokenPipe;
            self.left.set(gone);
            if gone {
                Failure::interrupted()
            } else {
                Failure::request("cannot write the output").because(error)
            }
        })
    }
}

/// Gives a stage for a lesson to `act`: on the cluster that the user named, else on one of its own. What the lesson makes,
/// its programs, and a cluster of its own are gone afterwards, however it ends.
pub(super) fn on_a_cluster(
    desk: &Desk<'_>,
    lesson: &Lesson,
    prefix: &str,
    say: Say<'_>,
    act: &mut dyn FnMut(Stage<'_>) -> Outcome,
) -> Outcome {
    // Before anything is started: from here on Ctrl-C is heard, and what was started is stopped.
    let interrupt = Interrupt::watch()?;
    let interrupted = || interrupt.pressed();
    let python = lesson
        .wants_python()
        .then(|| python::find(&desk.words))
        .transpose()?;
    let context = desk.context;
    let own = if context.address.is_named() {
        None
    } else {
        let _waiting = context.ui.waiting_for("a cluster of our own to start");
        Some(Own::start(&lesson.brokers)?)
    };
    let connection = match &own {
        Some(own) => own.connection()?,
        None => context.connection.clone(),
    };
    let bootstrap = connection.bootstrap();
    let key = if own.is_some() {
        "play.cluster-own"
    } else {
        "play.cluster-given"
    };
    let played = say(&desk.words.fill(key, &[("bootstrap", bootstrap)]))
        .and_then(|()| say(""))
        .and_then(|()| {
            let folder = Folder::make()?;
            lay_out(lesson, prefix, connection.bootstrap(), &folder)?;
            let mut told = environment(desk, &connection)?;
            told.extend(own.as_ref().map(Own::environment).unwrap_or_default());
            let programs = Programs::new(own_executable()?, folder.0.clone(), told).with_python(python);
            on_stage(desk, lesson, prefix, &connection, programs, &interrupted, act)
        });
    let ended = own.map_or(Ok(()), Own::end);
    played.and(ended)
}

fn on_stage(
    desk: &Desk<'_>,
    lesson: &Lesson,
    prefix: &str,
    connection: &Connection,
    programs: Programs,
    interrupted: &dyn Fn() -> bool,
    act: &mut dyn FnMut(Stage<'_>) -> Outcome,
) -> Outcome {
    let facts = Live::new(Admin::connect(connection)?);
    let brokers = facts.cluster()?.brokers;
    enough(desk, lesson, brokers.len())?;
    let dress = Dress::new(lesson, prefix, connection.bootstrap())
        .with_mailbox(free_port()?)
        .on_brokers(&brokers)
        .shuffled_by(desk.seed);
    let before = Snapshot::take(&facts)?;
    let taken = before.foreign_topics(lesson, &dress);
    if !taken.is_empty() {
        return Err(
            Failure::request(desk.words.fill("play.taken", &[("names", &taken.join(", "))]))
                .because(desk.words.say("play.taken-why"))
                .hint(format!("velo lesson play {} --prefix demo-", lesson.id)),
        );
    }
    let stage = Stage {
        facts: &facts,
        dress: dress.clone(),
        programs,
        interrupted,
        words: &desk.words,
        began: BTreeSet::new(),
        own_brokers: !desk.context.address.is_named(),
    };
    let played = act(stage);
    let removed = remove(desk, &before, &facts, lesson, &dress);
    played.and(removed)
}

/// Refuses a cluster that has fewer brokers than the lesson needs.
pub(super) fn enough(desk: &Desk<'_>, lesson: &Lesson, there: usize) -> Outcome {
    let needed = lesson.brokers.len();
    if needed <= there {
        return Ok(());
    }
    let said = [("n", needed.to_string()), ("have", there.to_string())];
    let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
    Err(Failure::request(desk.words.fill("error.too-few-brokers", &said))
        .because(desk.words.say("error.too-few-brokers-why"))
        .hint(format!("velo lesson start {}", lesson.id)))
}

pub(super) fn own_executable() -> Outcome<PathBuf> {
    std::env::current_exe()
        .map_err(|error| Failure::request("cannot tell where this program is").because(error))
}

/// Where the lesson's programs run and what they write stands; it goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("velo-play-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder)
            .map_err(|error| Failure::request(format!("cannot make {}", folder.display())).because(error))?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // In the system's own folder for what may go; how the play came out matters more.
        let _ = folder::remove(&self.0);
    }
}

/// Puts the lesson's files where its programs run.
fn lay_out(lesson: &Lesson, prefix: &str, bootstrap: &str, folder: &Folder) -> Outcome {
    let dress = Dress::new(lesson, prefix, bootstrap);
    for (name, text) in &lesson.files {
        let path = folder.0.join(name);
        std::fs::write(&path, dress.text(text))
            .map_err(|error| Failure::request(format!("cannot write {}", path.display())).because(error))?;
    }
    Ok(())
}

/// A port that nobody listens on now, below those that systems give to outgoing connections: it is used much later.
fn free_port() -> Outcome<u16> {
    let mut tries = 0;
    loop {
        match Mailbox::open(rand::random_range(20_000..30_000)) {
            Ok(mailbox) => return Ok(mailbox.address().port()),
            Err(failure) if tries == 100 => return Err(failure),
            Err(_) => tries += 1,
        }
    }
}

/// What the lesson's programs are told without saying it on each command line.
pub(super) fn environment(desk: &Desk<'_>, connection: &Connection) -> Outcome<Vec<(String, String)>> {
    let mut environment = vec![(
        "VELO_BOOTSTRAP_SERVER".to_owned(),
        connection.bootstrap().to_owned(),
    )];
    if let Some(file) = &desk.context.command_config {
        // The programs run in another folder.
        let file = std::path::absolute(file)
            .map_err(|error| Failure::request(format!("cannot find {}", file.display())).because(error))?;
        environment.push(("VELO_COMMAND_CONFIG".to_owned(), file.display().to_string()));
    }
    Ok(environment)
}

/// A cluster of the lesson's own takes what was made there with it.
fn remove(
    desk: &Desk<'_>,
    before: &Snapshot,
    facts: &dyn ClusterFacts,
    lesson: &Lesson,
    dress: &Dress,
) -> Outcome {
    if !desk.context.address.is_named() {
        return Ok(());
    }
    let again = format!("velo lesson play {}", lesson.id);
    let removed = reset::tidy(desk, before, facts, lesson, dress, &again)?;
    if !removed.is_empty() {
        let names = removed.join(", ");
        desk.context
            .ui
            .say(desk.words.fill("play.removed", &[("names", &names)]));
    }
    Ok(())
}
