//! What is done by wall clock, whatever records come or do not come.

/// Comes due again and again. It begins due: a program that is started each morning does what is to be done once a day.
#[derive(Debug, Clone)]
pub struct Timer {
    every_ms: i64,
    next_ms: Option<i64>,
}

impl Timer {
    /// Due now, and then each `every_ms` milliseconds.
    pub fn new(every_ms: i64) -> Self {
        Timer {
            every_ms: every_ms.max(1),
            next_ms: None,
        }
    }

    /// Whether it is due at `now_ms` (ms since 1970-01-01 UTC); then it is set for the next time.
    pub fn is_due(&mut self, now_ms: i64) -> bool {
        let left = self.next_ms.map_or(0, |next| next.saturating_sub(now_ms));
        // Further away than one period: somebody has set the clock back.
        let due = left <= 0 || left > self.every_ms;
        if due {
            self.next_ms = Some(now_ms.saturating_add(self.every_ms));
        }
        due
    }

    /// From now on it is due.
    pub fn reset(&mut self) {
        self.next_ms = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_at_the_start_and_then_once_a_period() {
        let mut timer = Timer::new(100);
        let due: Vec<i64> = (0..400)
            .step_by(30)
            .filter(|now| timer.is_due(1_000 + now))
            .collect();
        assert_eq!(due, [0, 120, 240, 360]);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_it() {
        let mut timer = Timer::new(100);
        assert!(timer.is_due(1_000_000));
        assert!(timer.is_due(1_000));
        assert!(!timer.is_due(1_050));
        assert!(timer.is_due(1_100));
    }
}
