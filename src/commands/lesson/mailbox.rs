//! `velo lesson mailbox`: a mail server that shows mails instead of delivering them.

use super::Desk;
use crate::course::mailbox::Mailbox;
use crate::failure::{Failure, Outcome};
use crate::ui::Interrupt;
use clap::Args;

/// Options of `velo lesson mailbox`.
#[derive(Debug, Args)]
pub(super) struct MailboxArgs {
    /// Port on 127.0.0.1; 0 lets the system choose
    #[arg(long, default_value_t = 1025)]
    port: u16,
}

pub(super) fn run(desk: &Desk<'_>, args: &MailboxArgs) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let ui = desk.context.ui;
    let mailbox = Mailbox::open(args.port)?;
    let address = mailbox.address().to_string();
    ui.say(desk.words.fill("mailbox.ready", &[("address", &address)]));
    mailbox.serve(&|| interrupt.pressed(), &mut |mail| {
        mail.shown().iter().try_for_each(|line| ui.line(line))
    })?;
    Err(Failure::interrupted())
}
