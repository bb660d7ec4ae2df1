//! When a question that was missed comes back.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// After how many days, each time that it was answered right, and at first.
const DAYS: [i64; 4] = [1, 3, 7, 21];

/// A question that was missed and is not learnt yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// How often it was answered right since.
    #[serde(default)]
    stage: usize,
    /// From which day on it is asked again (`2026-01-31`).
    #[serde(default)]
    due: String,
}

impl Review {
    /// One that was missed on this day.
    pub fn missed(today: Date) -> Self {
        Self::at(0, today).unwrap_or_default()
    }

    /// One that never comes back.
    pub fn learnt() -> Self {
        Review {
            stage: DAYS.len(),
            due: Date::MAX.to_string(),
        }
    }

    /// The same after a right answer on this day; `None` when it is learnt.
    pub fn answered(&self, today: Date) -> Option<Self> {
        Self::at(self.stage + 1, today)
    }

    /// Whether it is to be asked on this day. A day that cannot be read is today.
    pub fn is_due(&self, today: Date) -> bool {
        self.due.parse().map_or(true, |due: Date| due <= today)
    }

    fn at(stage: usize, today: Date) -> Option<Self> {
        let due = today.saturating_add(DAYS.get(stage)?.days());
        Some(Review {
            stage,
            due: due.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_comes_back_after_1_3_7_and_21_days_and_is_learnt_then() {
        let mut day: Date = "2026-02-27".parse().unwrap();
        let mut review = Some(Review::missed(day));
        for days in DAYS {
            let waiting = review.clone().unwrap();
            let before = day.saturating_add((days - 1).days());
            assert!(!waiting.is_due(before), "{waiting:?} {before}");
            day = day.saturating_add(days.days());
            assert!(waiting.is_due(day), "{waiting:?} {day}");
            review = waiting.answered(day);
        }
        assert_eq!(review, None);
    }
}
