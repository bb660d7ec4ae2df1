//! Stations from an HTTP API: JCDecaux's own, or any that answers alike. The key in the address is never shown.

use super::told::{self, Answer};
use crate::failure::{Failure, Outcome};
use crate::ui::{Interrupt, Ui};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use ureq::Agent;

/// JCDecaux's API: all stations of all cities in one answer.
pub const JCDECAUX: &str = "https://api.jcdecaux.com/vls/v1/stations";

/// The environment variable that holds the key to it.
pub const KEY_VARIABLE: &str = "JCDECAUX_API_KEY";

/// How often one round of stations is asked for before it fails.
const ATTEMPTS: u32 = 5;
/// How long to wait before the second attempt; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The largest answer that is read. All cities are about two megabytes.
const LARGEST_ANSWER: u64 = 64 << 20;
/// How often a waiting request looks for Ctrl-C.
const GLANCE: Duration = Duration::from_millis(20);

/// Why an attempt failed.
enum Trouble {
    /// May pass: the server was busy, slow or away.
    Passing(String),
    /// Will not pass by itself.
    Lasting(Failure),
}

/// An API that tells the stations.
#[derive(Debug, Clone)]
pub struct HttpSource {
    agent: Agent,
    url: String,
    key: Option<String>,
    needs_key: bool,
}

impl HttpSource {
    /// JCDecaux's API at `base` (normally [`JCDECAUX`]), asked with `key`; an answer may take `timeout`.
    pub fn jcdecaux(base: &str, key: &str, timeout: Duration) -> Self {
        HttpSource {
            agent: agent(timeout),
            url: format!("{base}?apiKey={key}"),
            key: Some(key.to_owned()),
            needs_key: true,
        }
    }

    /// Any address that answers with a list of stations; an answer may take `timeout`.
    pub fn at(url: &str, timeout: Duration) -> Self {
        let key = url
            .split_once("apiKey=")
            .map(|(_, rest)| rest.split(['&', '#']).next().unwrap_or(rest).to_owned())
            .filter(|key| !key.is_empty());
        HttpSource {
            agent: agent(timeout),
            url: url.to_owned(),
            key,
            needs_key: false,
        }
    }

    /// All stations at this moment. Tries again, more and more slowly, while the trouble may pass, and says so.
    ///
    /// # Errors
    /// When the key is refused, the answer is no list of stations, or five attempts in a row came to nothing.
    pub fn fetch(&self, ui: Ui, interrupt: Interrupt) -> Outcome<Answer> {
        let mut wait = FIRST_WAIT;
        let mut last = String::new();
        for attempt in 1..=ATTEMPTS {
            match self.attempt(interrupt)? {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Lasting(failure)) => return Err(failure),
                Err(Trouble::Passing(why)) => last = why,
            }
            if attempt < ATTEMPTS {
                ui.say(format!(
                    "{}: {last}; trying again in {} ms",
                    self.shown(),
                    wait.as_millis()
                ));
                interrupt.sleep(wait)?;
                wait *= 2;
            }
        }
        Err(Failure::request(format!("no stations from {}", self.shown()))
            .because(format!("{last}, {ATTEMPTS} times in a row"))
            .hint("velo velib produce    (without --live or --url: the offline source)"))
    }

    /// One request, in a thread of its own so that Ctrl-C need not wait for the server.
    fn attempt(&self, interrupt: Interrupt) -> Outcome<Result<Answer, Trouble>> {
        let (answer, answered) = mpsc::channel();
        let source = self.clone();
        std::thread::spawn(move || {
            // The receiver is gone when the user has interrupted: nobody wants the answer then.
            let _ = answer.send(source.ask());
        });
        loop {
            interrupt.check()?;
            match answered.recv_timeout(GLANCE) {
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Err(Trouble::Passing(
                        "the request ended without an answer".into(),
                    )));
                }
            }
        }
    }

    fn ask(&self) -> Result<Answer, Trouble> {
        let mut response = match self.agent.get(&self.url).call() {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                return Err(Trouble::Lasting(
                    Failure::usage(format!("{} is no address to fetch from", self.shown()))
                        .because(self.hide(&error.to_string())),
                ));
            }
            Err(error) => return Err(Trouble::Passing(self.hide(&error.to_string()))),
        };
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST_ANSWER)
            .read_to_vec()
            .map_err(|error| Trouble::Passing(self.hide(&error.to_string())))?;
        if status == 200 {
            return told::read(&body).map_err(|why| {
                Trouble::Lasting(
                    Failure::request("the answer is not a list of stations")
                        .because(self.hide(&why))
                        .hint(format!("look at {}", self.shown())),
                )
            });
        }
        let answered = match told::said(&body) {
            Some(said) => format!("it answered {status}: {}", self.hide(&said)),
            None => format!("it answered {status}"),
        };
        Err(match status {
            401 | 403 => Trouble::Lasting(self.refused(&answered)),
            429 | 500..=599 => Trouble::Passing(answered),
            _ => Trouble::Lasting(
                Failure::request(format!("no stations from {}", self.shown()))
                    .because(answered)
                    .hint(format!("look at {}", self.shown())),
            ),
        })
    }

    fn refused(&self, answered: &str) -> Failure {
        let failure = Failure::request(format!("{} refuses the key", self.shown()));
        if self.needs_key {
            failure
                .because(format!(
                    "{answered}; the key in {KEY_VARIABLE} is not valid there"
                ))
                .hint(format!(
                    "get a key at https://developer.jcdecaux.com, then export {KEY_VARIABLE}=…"
                ))
                .hint("velo velib produce    (without --live: the offline source, no key needed)")
        } else {
            failure
                .because(answered)
                .hint("give the key in the address: --url 'http://…/vls/v1/stations?apiKey=KEY'")
        }
    }

    /// The address without its query, which may hold the key.
    fn shown(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or(&self.url)
    }

    fn hide(&self, text: &str) -> String {
        let text = text.strip_prefix("io: ").unwrap_or(text);
        match &self.key {
            Some(key) => text.replace(key, "…"),
            None => text.to_owned(),
        }
    }
}

fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .user_agent(concat!("velodrome/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}
