//! `--include`: the topics whose whole name a regular expression matches, those to come too.

use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Connection, is_internal};
use regex::Regex;
use std::time::Duration;

/// How often topics are looked for.
pub const REFRESH: Duration = Duration::from_secs(5);

/// The pattern, and a connection to ask for topics.
pub struct Included {
    pattern: String,
    admin: Option<Admin>,
}

impl Included {
    /// Topics that this pattern matches.
    pub fn new(pattern: &str) -> Self {
        Included {
            pattern: pattern.to_owned(),
            admin: None,
        }
    }

    /// The names of those there are by now but Kafka's own, as Java's consumer by default
    /// (`exclude.internal.topics`).
    ///
    /// # Errors
    /// When the pattern is no regular expression, or no broker answers.
    pub fn topics(&mut self, connection: &Connection) -> Outcome<Vec<String>> {
        let whole = Regex::new(&format!("^(?:{})$", self.pattern)).map_err(|_| {
            Failure::usage(format!("`{}` is no regular expression", self.pattern))
                .hint("--include 'velib-.*'")
        })?;
        let admin = match self.admin.take() {
            Some(admin) => admin,
            None => Admin::connect(connection)?,
        };
        let metadata = admin.metadata();
        self.admin = Some(admin);
        Ok(metadata?
            .topics
            .into_iter()
            .map(|topic| topic.name)
            .filter(|name| !is_internal(name) && whole.is_match(name))
            .collect())
    }
}
