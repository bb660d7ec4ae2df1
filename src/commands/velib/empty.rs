//! `velo velib empty`: find the stations that run empty, and mail them.

use crate::commands::{Context, candidates};
use crate::exercises::velib::mailer::{self, Smtp, mail};
use crate::exercises::velib::monitor::{self, Print, monitor};
use crate::exercises::velib::{EMPTY_TOPIC, STATIONS_TOPIC, topics};
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::group_consumer::Start;
use crate::kafka::{Admin, NewTopic};
use crate::ui::Interrupt;
use clap::Args;
use lettre::message::Mailbox;
use std::sync::atomic::{AtomicBool, Ordering};

/// Options of `velo velib empty`.
#[derive(Debug, Args)]
pub struct EmptyArgs {
    /// Topic of the stations
    #[arg(long, default_value = STATIONS_TOPIC, conflicts_with = "mail_only", add = candidates::topics())]
    topic: String,
    /// Topic of the stations that ran empty
    #[arg(long, default_value = EMPTY_TOPIC, add = candidates::topics())]
    to: String,
    /// Group that finds them; what it remembers is in the topic GROUP-state
    #[arg(long, default_value = "velib-find-empty", conflicts_with = "mail_only", add = candidates::groups())]
    group: String,
    /// Also mail each of them to this address; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    mail_to: Vec<Mailbox>,
    /// Mail server: HOST:PORT, or smtp(s)://USER:PASSWORD@HOST [default: the environment's VELO_SMTP]
    #[arg(long, value_name = "SERVER", requires = "mail_to")]
    smtp: Option<String>,
    /// Sender of the mails
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "mail_to",
        default_value = "Velodrome <velo@localhost>"
    )]
    mail_from: Mailbox,
    /// Group that mails
    #[arg(
        long,
        value_name = "GROUP",
        requires = "mail_to",
        default_value = "velib-mail-empty",
        add = candidates::groups()
    )]
    mail_group: String,
    /// Only mail what another program (`velo velib monitor --empty-to`) has found
    #[arg(long, requires = "mail_to")]
    mail_only: bool,
    /// End once all records that were there at the start are dealt with
    #[arg(long)]
    exit_at_end: bool,
}

/// Runs it.
pub(super) fn run(args: EmptyArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let ui = context.ui;
    let mailing = mailing(&args)?;
    let finding = monitor::Plan {
        topic: args.topic,
        group: args.group,
        start: Start::Earliest,
        report_to: None,
        empty_to: Some(args.to.clone()),
        print: Print::Empty,
        exit_at_end: args.exit_at_end,
    };
    let check = || interrupt.check();
    let connection = &context.connection;
    let Some(mailing) = mailing else {
        return monitor(connection, &finding, ui, &check);
    };
    topics::ensure(&Admin::connect(connection)?, &NewTopic::named(&args.to))?;
    if args.mail_only {
        return mail(connection, &mailing, ui, &check);
    }
    if args.exit_at_end {
        monitor(connection, &finding, ui, &check)?;
        return mail(connection, &mailing, ui, &check);
    }
    side_by_side(
        interrupt,
        |go_on| monitor(connection, &finding, ui, go_on),
        |go_on| mail(connection, &mailing, ui, go_on),
    )
}

fn mailing(args: &EmptyArgs) -> Outcome<Option<mailer::Plan>> {
    if args.mail_to.is_empty() {
        return Ok(None);
    }
    let server = args
        .smtp
        .clone()
        .or_else(|| std::env::var("VELO_SMTP").ok())
        .filter(|server| !server.is_empty())
        .ok_or_else(|| {
            Failure::usage("--mail-to needs a mail server")
                .because("neither --smtp nor VELO_SMTP names one")
                .hint("--smtp localhost:25")
        })?;
    Ok(Some(mailer::Plan {
        topic: args.to.clone(),
        group: args.mail_group.clone(),
        to: args.mail_to.clone(),
        from: args.mail_from.clone(),
        smtp: Smtp::parse(&server)?,
        exit_at_end: args.exit_at_end,
    }))
}

/// Runs both, the second in a thread of its own so that it cannot slow the first, until one fails or Ctrl-C.
fn side_by_side(
    interrupt: Interrupt,
    first: impl FnOnce(&dyn Fn() -> Outcome) -> Outcome,
    second: impl FnOnce(&dyn Fn() -> Outcome) -> Outcome + Send,
) -> Outcome {
    let over = AtomicBool::new(false);
    let go_on = || {
        interrupt.check()?;
        if over.load(Ordering::SeqCst) {
            return Err(Failure::interrupted());
        }
        Ok(())
    };
    let (one, other) = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let ended = second(&go_on);
            over.store(true, Ordering::SeqCst);
            ended
        });
        let ended = first(&go_on);
        over.store(true, Ordering::SeqCst);
        let other = thread.join().unwrap_or_else(|_| {
            Err(Failure::request("the mailer ended without a word").hint("velo velib empty --help"))
        });
        (ended, other)
    });
    // The one that failed by itself is the news; the other was only told to stop.
    match (one, other) {
        (Err(one), Err(other)) if one.kind() == Kind::Interrupted => Err(other),
        (one, other) => one.and(other),
    }
}
