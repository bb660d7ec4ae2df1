//! `velo lesson`: take the course's lessons, watch them play, or check those that one writes.

mod ahead;
mod attend;
mod board;
mod book;
mod certificate;
mod clerk;
mod cluster;
mod files;
mod folder;
mod lint;
mod mailbox;
mod new;
mod play;
mod reset;
mod show;
mod site;
mod sketch;
mod step;
mod take;
mod talk;

use super::Context;
use crate::course::load::Source;
use crate::course::progress::Progress;
use crate::course::render::Page;
use crate::failure::Outcome;
use crate::i18n::{Lang, Words};
use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

pub use talk::Terminal;

/// `velo lesson`
#[derive(Debug, Args)]
pub struct LessonArgs {
    /// Take the lessons of this folder instead of those in the program
    #[arg(long, global = true, value_name = "DIR", env = "VELO_LESSONS")]
    lessons: Option<PathBuf>,
    /// Say in words what pictures show, as narrow terminals are told it anyway
    #[arg(long, global = true, env = "VELO_NO_PICTURES", value_parser = FalseyValueParser::new())]
    no_pictures: bool,
    /// Shuffle lines that are to be put in order as this number says [default: another way each time]
    #[arg(long, global = true, value_name = "N", env = "VELO_SEED")]
    seed: Option<u64>,
    #[command(subcommand)]
    command: LessonCommand,
}

/// What to do with lessons.
#[derive(Debug, Subcommand)]
enum LessonCommand {
    /// List the lessons
    List,
    /// Begin a lesson, or go on where you were
    Start(take::StartArgs),
    /// Check the step you are at; when it holds, show the next
    Next,
    /// Check the step you are at
    Check,
    /// Give a hint: up to three, then the solution
    Hint,
    /// Show the commands that solve the step you are at
    Solution,
    /// Go back one step
    Back,
    /// Leave out the step you are at; it stays open
    Skip,
    /// Read a lesson without starting it
    Show(show::ShowArgs),
    /// Let a small shop take orders while its mail service is away (of the lesson `queues`)
    Site(site::SiteArgs),
    /// Write an invoice for each order, at most once, at least once or exactly once (of the lesson `delivery`)
    Clerk(clerk::ClerkArgs),
    /// Put trips together as it is often written first, on a store in memory or on a real one (of the lesson `trips`)
    Sketch(sketch::SketchArgs),
    /// Write a lesson's files (its Python programs) into a folder
    Files(files::FilesArgs),
    /// Remove what a lesson made, and forget your progress in it
    Reset(reset::ResetArgs),
    /// Show how far you are
    Status(show::StatusArgs),
    /// Tell a teacher everything about your progress
    Report(show::ReportArgs),
    /// Show a teacher the class: who is where, since when, and who needs help
    Board(board::BoardArgs),
    /// Write the course as pages to hand out
    Book(book::BookArgs),
    /// Print your certificate, once you have finished the lesson `final`
    Certificate(certificate::CertificateArgs),
    /// Make a folder for a lesson of your own, which lint finds nothing wrong with
    New(new::NewArgs),
    /// Check lessons as an author: texts, languages, and a whole take on a cluster
    Lint(lint::LintArgs),
    /// Show every mail that is sent to this machine's port 1025, and deliver none
    Mailbox(mailbox::MailboxArgs),
    /// Let a lesson run by itself, from its first step to its last
    Play(play::PlayArgs),
}

/// What each of the verbs needs.
struct Desk<'a> {
    context: &'a Context,
    source: Source,
    words: Words,
    no_pictures: bool,
    /// How lines are shuffled.
    seed: u64,
}

impl Desk<'_> {
    /// Where the learner's progress is.
    fn file(&self) -> PathBuf {
        Progress::path(&self.context.places.state)
    }

    /// How texts look on stdout.
    fn page(&self) -> Page {
        Page::of_stdout().telling_pictures(self.no_pictures)
    }
}

/// The language that is asked for, else the one that the lesson was begun in, else the locale's.
///
/// # Errors
/// When the progress file cannot be understood.
pub fn language(context: &Context) -> Outcome<Lang> {
    if let Some(asked) = context.lang_asked {
        return Ok(asked);
    }
    let progress = Progress::load(&Progress::path(&context.places.state))?;
    let kept = progress.lang.as_deref().and_then(Lang::of_code);
    Ok(kept.unwrap_or(context.lang))
}

impl LessonArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As each verb says.
    pub fn run(self, context: &Context) -> Outcome {
        let lang = language(context)?;
        let desk = Desk {
            context,
            source: self.lessons.map_or(Source::Embedded, Source::Folder),
            words: Words::of(lang),
            no_pictures: self.no_pictures,
            seed: self.seed.unwrap_or_else(rand::random),
        };
        self.command.run(&desk).map_err(|failure| failure.told_in(lang))
    }
}

impl LessonCommand {
    fn run(self, desk: &Desk<'_>) -> Outcome {
        match self {
            LessonCommand::List => show::list(desk),
            LessonCommand::Start(args) => take::start(desk, &args),
            LessonCommand::Next => step::next(desk),
            LessonCommand::Check => step::check(desk),
            LessonCommand::Hint => step::hint(desk),
            LessonCommand::Solution => step::solution(desk),
            LessonCommand::Back => step::back(desk),
            LessonCommand::Skip => step::skip(desk),
            LessonCommand::Show(args) => show::lesson(desk, &args),
            LessonCommand::Site(args) => site::run(desk, &args),
            LessonCommand::Clerk(args) => clerk::run(desk, args),
            LessonCommand::Sketch(args) => sketch::run(desk, &args),
            LessonCommand::Files(args) => files::run(desk, &args),
            LessonCommand::Reset(args) => reset::run(desk, &args),
            LessonCommand::Status(args) => show::status(desk, &args),
            LessonCommand::Report(args) => show::report(desk, &args),
            LessonCommand::Board(args) => board::run(desk, &args),
            LessonCommand::Book(args) => book::run(desk, &args),
            LessonCommand::Certificate(args) => certificate::run(desk, &args),
            LessonCommand::New(args) => new::run(desk, &args),
            LessonCommand::Lint(args) => lint::run(desk, args),
            LessonCommand::Mailbox(args) => mailbox::run(desk, &args),
            LessonCommand::Play(args) => play::run(desk, &args),
        }
    }
}
