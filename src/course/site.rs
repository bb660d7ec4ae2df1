//! A web shop whose mail service goes away for a while: what its ways of dealing with that cost, in a simulation without chance.
//!
//! An order comes in every second. The mail service answers at once, but for a time it does not answer at all.

use serde::Serialize;

/// How many orders come in, one every second, from second 0 on.
const ORDERS: u32 = 20;

/// When the mail service goes away, in ms.
const DOWN_FROM: u32 = 5_000;

/// When it is back, in ms.
const DOWN_UNTIL: u32 = 14_000;

/// How long the mail service takes when it is well, in ms.
const ANSWER: u32 = 200;

/// How long the shop waits for the mail service before it gives up, in ms.
const PATIENCE: u32 = 3_000;

/// How long it takes to put a mail into a queue, in ms.
const PUT: u32 = 5;

/// What the shop does with the mail that belongs to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// Sends it before it answers, and fails the order when that fails
    Fail,
    /// Sends it before it answers, and forgets the mail when that fails
    Ignore,
    /// Sends it before it answers, again and again until it is sent
    Retry,
    /// Puts it into a queue and answers; somebody else sends it, again and again until it is sent
    Queue,
}

impl Way {
    /// All of them, in the order of the lesson.
    pub const ALL: [Way; 4] = [Way::Fail, Way::Ignore, Way::Retry, Way::Queue];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Way::Fail => "fail",
            Way::Ignore => "ignore",
            Way::Retry => "retry",
            Way::Queue => "queue",
        }
    }
}

/// What became of the orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// How many came in.
    pub orders: u32,
    /// Orders that failed before the customer's eyes.
    pub failed: u32,
    /// Mails of accepted orders that were never sent.
    pub lost: u32,
    /// How long the customer who waited longest had to wait for an answer, in ms.
    pub longest_wait: u32,
    /// How late the latest mail was sent, in ms after its order.
    pub latest_mail: u32,
}

/// Takes all the orders.
pub fn run(way: Way) -> Outcome {
    let mut outcome = Outcome {
        orders: ORDERS,
        ..Outcome::default()
    };
    let mut sender_free = 0;
    for came in (0..ORDERS).map(|number| number * 1_000) {
        let sent = match way {
            Way::Fail | Way::Ignore => {
                let sent = answers(came).filter(|sent| sent - came <= PATIENCE);
                outcome.waits(sent.map_or(PATIENCE, |sent| sent - came));
                match (way, sent) {
                    (Way::Fail, None) => outcome.failed += 1,
                    (_, None) => outcome.lost += 1,
                    (_, Some(_)) => {}
                }
                sent
            }
            Way::Retry => {
                let sent = until_sent(came);
                outcome.waits(sent - came);
                Some(sent)
            }
            Way::Queue => {
                outcome.waits(PUT);
                sender_free = until_sent((came + PUT).max(sender_free));
                Some(sender_free)
            }
        };
        outcome.latest_mail = outcome.latest_mail.max(sent.map_or(0, |sent| sent - came));
    }
    outcome
}

impl Outcome {
    fn waits(&mut self, ms: u32) {
        self.longest_wait = self.longest_wait.max(ms);
    }
}

/// When the mail service has answered a request of this moment; `None` when it never does.
fn answers(asked: u32) -> Option<u32> {
    let away = (DOWN_FROM..DOWN_UNTIL).contains(&asked);
    (!away).then_some(asked + ANSWER)
}

/// When a mail is sent that is tried again after each try that failed.
fn until_sent(from: u32) -> u32 {
    let mut tried = from;
    loop {
        match answers(tried) {
            Some(sent) => return sent,
            None => tried += PATIENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_costs_something_else() {
        let of = |way| {
            let outcome = run(way);
            (outcome.failed, outcome.lost, outcome.longest_wait)
        };
        assert_eq!(of(Way::Fail), (9, 0, 3_000));
        assert_eq!(of(Way::Ignore), (0, 9, 3_000));
        // The order of second 5 is tried at 5, 8, 11 and 14.
        assert_eq!(of(Way::Retry), (0, 0, 9_200));
        assert_eq!(of(Way::Queue), (0, 0, 5));
        assert!(run(Way::Queue).latest_mail >= 9_000);
    }
}
