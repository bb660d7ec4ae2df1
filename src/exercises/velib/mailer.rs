//! The second consumer of the course: reads the stations that ran empty and tells someone by e-mail.
//!
//! Mail is slow and mail servers fail, which is why this is not the monitor's work: events wait in the topic meanwhile. An
//! event is committed once its mail was accepted, so each is mailed at least once; an event that stands twice in the
//! topic (same `origin` header) is mailed once, and the Message-ID is made of the origin, so that a mailbox can tell a
//! mail that was sent again after a crash.

use super::memory::Sighting;
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::{Assigned, Polled, Progress, Received, Start};
use crate::kafka::{Connection, GroupConsumer};
use crate::ui::Ui;
use lettre::message::{Mailbox, Message, header::ContentType};
use lettre::{SmtpTransport, Transport};
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// How long one poll waits; also how soon Ctrl-C is seen.
const GLANCE: Duration = Duration::from_millis(50);
/// How often a mail is offered before the mailer gives up.
const ATTEMPTS: u32 = 6;
/// How long to wait before the second attempt; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long the mail server may take for each answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: SmtpTransport,
    shown: String,
}

impl Smtp {
    /// Reads `HOST:PORT` (STARTTLS when the server offers it), `smtp://USER:PASSWORD@HOST:PORT?tls=required`, or
    /// `smtps://…`. Connects with the first mail.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Outcome<Self> {
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("smtp://{text}?tls=opportunistic")
        };
        let shown = url
            .split_once("://")
            .map_or(url.as_str(), |(_, rest)| rest)
            .rsplit('@')
            .next()
            .and_then(|rest| rest.split(['?', '/']).next())
            .unwrap_or_default()
            .to_owned();
        let transport = SmtpTransport::from_url(&url)
            .map_err(|error| {
                Failure::usage("--smtp names no mail server")
                    .because(error)
                    .hint("--smtp mail.example.org:25, or --smtp smtps://USER:PASSWORD@mail.example.org")
            })?
            .timeout(Some(PATIENCE))
            .build();
        Ok(Smtp { transport, shown })
    }
}

/// What the mailer does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The topic of the stations that ran empty.
    pub topic: String,
    /// The mailer's group.
    pub group: String,
    /// Who is told.
    pub to: Vec<Mailbox>,
    /// Who tells.
    pub from: Mailbox,
    /// By which server.
    pub smtp: Smtp,
    /// End once everything that was there at the start is mailed.
    pub exit_at_end: bool,
}

/// Mails until `go_on` fails, or the plan is done.
///
/// # Errors
/// What `go_on` says; when the cluster cannot be read; when the mail server refuses or stays away.
pub fn mail(connection: &Connection, plan: &Plan, ui: Ui, go_on: &dyn Fn() -> Outcome) -> Outcome {
    let mut joining = Some(ui.waiting_for(format!("a share of `{}` in group `{}`", plan.topic, plan.group)));
    let mut consumer = GroupConsumer::join(connection, &plan.group, &plan.topic, Start::Earliest)?;
    let mut mailed = HashSet::new();
    let mut ends: Option<BTreeMap<i32, i64>> = None;
    loop {
        go_on()?;
        match consumer.poll(GLANCE)? {
            Polled::Record(record) => {
                mail_event(plan, &record, &mut mailed, ui, go_on)?;
                let next = record.offset + 1;
                consumer.commit(&BTreeMap::from([(record.partition, next)]))?;
                if let Some(ends) = &mut ends {
                    ends.retain(|partition, end| *partition != record.partition || next < *end);
                }
            }
            // Behind the last record there may be markers of transactions.
            Polled::End(partition) => {
                if let Some(ends) = &mut ends {
                    ends.remove(&partition);
                }
            }
            Polled::Assigned(assigned) => {
                joining = None;
                Progress::begin(&consumer, &assigned)?;
                ends = Some(unread(&assigned));
            }
            Polled::Replaced => {
                ui.say(format!(
                    "topic `{}` was deleted and made again: reading the new one from its beginning",
                    plan.topic
                ));
                consumer = consumer.successor()?;
                ends = None;
            }
            Polled::Revoked => ends = None,
            Polled::Trouble(why) => ui.say(format!("the cluster: {why}; trying again")),
            Polled::Nothing => {}
        }
        if joining.is_none() && plan.exit_at_end && ends.as_ref().is_some_and(BTreeMap::is_empty) {
            return Ok(());
        }
    }
}

fn unread(assigned: &[Assigned]) -> BTreeMap<i32, i64> {
    assigned
        .iter()
        .filter(|given| given.start < given.end)
        .map(|given| (given.partition, given.end))
        .collect()
}

fn mail_event(
    plan: &Plan,
    record: &Received,
    mailed: &mut HashSet<String>,
    ui: Ui,
    go_on: &dyn Fn() -> Outcome,
) -> Outcome {
    let station: Sighting = match serde_json::from_slice(record.value.as_deref().unwrap_or_default()) {
        Ok(station) => station,
        Err(error) => {
            ui.say(format!(
                "partition {} offset {} of `{}` is no station ({error}); passed over",
                record.partition, record.offset, plan.topic
            ));
            return Ok(());
        }
    };
    let origin = record
        .header("origin")
        .and_then(|origin| std::str::from_utf8(origin).ok())
        .map_or_else(
            || format!("{}/{}/{}", plan.topic, record.partition, record.offset),
            str::to_owned,
        );
    if mailed.contains(&origin) {
        return Ok(());
    }
    send(plan, &compose(plan, &station, &origin)?, ui, go_on)?;
    mailed.insert(origin);
    let address = station.address();
    let Sighting {
        number,
        contract_name,
        ..
    } = station;
    if ui.is_json() {
        return ui.json_line(
            &serde_json::json!({ "contract_name": contract_name, "number": number, "address": address }),
        );
    }
    ui.line(format!("mailed {address} ({contract_name})"))
}

fn compose(plan: &Plan, station: &Sighting, origin: &str) -> Outcome<Message> {
    let place = format!("{} ({})", station.address(), station.contract_name);
    let id: String = origin
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '-' {
                letter
            } else {
                '.'
            }
        })
        .collect();
    let mut message = Message::builder()
        .from(plan.from.clone())
        .message_id(Some(format!("<{id}@velodrome>")))
        .subject(format!("No bike left: {place}"));
    for reader in &plan.to {
        message = message.to(reader.clone());
    }
    message
        .header(ContentType::TEXT_PLAIN)
        .body(format!(
            "Station {} has no bike left.\n{place}\n{} free stands.\n",
            station.number, station.available_bike_stands
        ))
        .map_err(|error| Failure::request("cannot write the mail").because(error))
}

/// Offers the mail, more and more slowly while the server is away or busy.
fn send(plan: &Plan, message: &Message, ui: Ui, go_on: &dyn Fn() -> Outcome) -> Outcome {
    let server = &plan.smtp.shown;
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        let Err(error) = plan.smtp.transport.send(message) else {
            return Ok(());
        };
        let failed = Failure::request(format!("mail server {server} did not take the mail")).because(&error);
        if error.is_permanent() || attempt == ATTEMPTS {
            return Err(failed
                .hint("the event is not committed: it is mailed when `velo velib empty` is started again"));
        }
        ui.say(format!(
            "mail server {server}: {error}; nothing committed, trying again in {} s",
            wait.as_secs()
        ));
        let until = Instant::now() + wait;
        while Instant::now() < until {
            go_on()?;
            std::thread::sleep(GLANCE);
        }
        wait *= 2;
    }
    Ok(())
}
