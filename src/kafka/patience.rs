//! How an idempotent producer never writes a record twice: how long it keeps records is decided here, not in librdkafka.

use rdkafka::ClientConfig;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The two names of how often a record is sent again.
const RETRIES: [&str; 2] = ["retries", "message.send.max.retries"];

/// The two names of how long a record may take.
const DELIVERY_TIMEOUT: [&str; 2] = ["delivery.timeout.ms", "message.timeout.ms"];

/// Makes a configuration that never gives up a single record of an idempotent producer, neither after so many `retries` nor
/// after a time of its own, and answers how long its records may take: its `delivery.timeout.ms`.
///
/// librdkafka gives a record up by itself when its time or its number of tries is over. What follows it is then numbered
/// anew under the next epoch, and that may be a batch that the broker has already, only that its answer was lost: the broker
/// cannot know it again, and has it twice. So an idempotent producer here goes on until every record it holds has waited for
/// its time, and then gives all of them up together ([`Patience`]).
///
/// `None` for any other producer, which is left alone: one that is not idempotent may write twice, as Java's may, and a
/// transaction that lost a record is aborted as a whole. `None` as well where the time is without limit.
pub(super) fn never_twice(config: &mut ClientConfig) -> Option<Duration> {
    let idempotent = config.get("enable.idempotence").map(str::to_lowercase);
    if !matches!(idempotent.as_deref(), Some("true" | "t" | "1")) || config.get("transactional.id").is_some()
    {
        return None;
    }
    let number = |config: &ClientConfig, name: &str| config.get(name)?.parse::<u64>().ok();
    for name in RETRIES {
        // What is no number, and 0, librdkafka refuses in its own words.
        if number(config, name).is_some_and(|retries| retries > 0) {
            config.remove(name);
        }
    }
    let name = DELIVERY_TIMEOUT
        .into_iter()
        .find(|name| config.get(name).is_some())?;
    let limit = number(config, name)?;
    // To librdkafka that is without limit.
    config.set(name, "0");
    (limit > 0).then(|| Duration::from_millis(limit))
}

/// Watches whether records are answered.
pub(super) struct Patience {
    limit: Duration,
    /// What was seen when it last changed, and when that was.
    seen: Cell<(u64, Instant)>,
}

impl Patience {
    /// Records may take so long.
    pub fn new(limit: Duration) -> Self {
        Patience {
            limit,
            seen: Cell::new((0, Instant::now())),
        }
    }

    /// Whether the time of all records that wait is over: none was queued, and none answered, for so long. `progress`
    /// counts both. Where no record waits, it says so of those that came last.
    pub fn is_over(&self, progress: u64, now: Instant) -> bool {
        let (seen, since) = self.seen.get();
        if seen != progress {
            self.seen.set((progress, now));
            return false;
        }
        now.saturating_duration_since(since) >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in settings {
            config.set(*name, *value);
        }
        config
    }

    #[test]
    fn an_idempotent_producer_gives_up_no_record_by_itself() {
        for timeout in DELIVERY_TIMEOUT {
            for retries in RETRIES {
                let mut config = config(&[("enable.idempotence", "true"), (retries, "3"), (timeout, "1500")]);
                assert_eq!(never_twice(&mut config), Some(Duration::from_millis(1500)));
                assert_eq!((config.get(retries), config.get(timeout)), (None, Some("0")));
            }
        }
    }

    #[test]
    fn other_producers_are_left_alone() {
        for (name, value) in [("enable.idempotence", "false"), ("transactional.id", "t")] {
            let given = [
                ("enable.idempotence", "true"),
                ("retries", "3"),
                ("delivery.timeout.ms", "1500"),
                (name, value),
            ];
            let mut config = config(&given);
            assert_eq!(never_twice(&mut config), None);
            assert_eq!(config.get("retries"), Some("3"));
            assert_eq!(config.get("delivery.timeout.ms"), Some("1500"));
        }
    }

    #[test]
    fn records_are_given_up_when_all_of_them_have_waited_long_enough() {
        let patience = Patience::new(Duration::from_secs(10));
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert!(!patience.is_over(1, at(0)));
        assert!(!patience.is_over(1, at(9)));
        // Another record is queued, or answered.
        assert!(!patience.is_over(2, at(11)));
        assert!(!patience.is_over(2, at(20)));
        assert!(patience.is_over(2, at(21)));
    }
}
