//! Which brokers live. A session dies with the controller, on purpose: whoever comes after it listens anew.

use crate::broker::metadata::MetadataImage;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker may take to speak again after its connection was closed. One that lives does so at once
/// ([`crate::broker::lifecycle`]); the connections of a process that died are closed by its system.
const SPEAKS_AGAIN_MS: i64 = 1_000;

/// The sessions of the brokers that serve. All times are those of [`crate::clock::Clock::steady_ms`].
#[derive(Debug)]
pub(super) struct Sessions {
    /// `broker.session.timeout.ms`
    timeout_ms: i64,
    by_broker: BTreeMap<i32, Session>,
}

/// What is known of a broker's life.
#[derive(Debug, Clone, Copy)]
struct Session {
    /// When it was last heard of.
    seen_ms: i64,
    /// The connection it spoke on; `None` for a broker that this controller knows from the log alone.
    connection: Option<u64>,
    /// When that connection was closed, if it was.
    closed_ms: Option<i64>,
}

impl Session {
    fn begun(seen_ms: i64, connection: Option<u64>) -> Self {
        Session {
            seen_ms,
            connection,
            closed_ms: None,
        }
    }

    fn end(&self, timeout_ms: i64) -> i64 {
        let silent = self.seen_ms.saturating_add(timeout_ms);
        let closed = self
            .closed_ms
            .map(|closed_ms| closed_ms.saturating_add(SPEAKS_AGAIN_MS));
        closed.map_or(silent, |closed| closed.min(silent))
    }
}

impl Sessions {
    /// A whole session for each broker that serves by the log: it has not been heard of yet.
    pub(super) fn of(image: &MetadataImage, timeout: Duration, now_ms: i64) -> Self {
        let serving = image.brokers.values().filter(|broker| !broker.fenced);
        let session = Session::begun(now_ms, None);
        Sessions {
            timeout_ms: i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX),
            by_broker: serving.map(|broker| (broker.id, session)).collect(),
        }
    }

    /// A broker was heard of; whether its session begins by that.
    pub(super) fn touch(&mut self, broker_id: i32, connection: u64, now_ms: i64) -> bool {
        let session = Session::begun(now_ms, Some(connection));
        self.by_broker.insert(broker_id, session).is_none()
    }

    /// A connection was closed. The broker that spoke on it, if any, is soon given up if it does not speak on another one.
    pub(super) fn closed(&mut self, connection: u64, now_ms: i64) {
        let mut sessions = self.by_broker.values_mut();
        if let Some(session) = sessions.find(|session| session.connection == Some(connection)) {
            session.closed_ms.get_or_insert(now_ms);
        }
    }

    /// A broker is not waited for any more.
    pub(super) fn end(&mut self, broker_id: i32) {
        self.by_broker.remove(&broker_id);
    }

    /// Whether a process that takes a broker's id would take it from another one that lives: its session goes on, and the
    /// connection that it spoke on is open. A process that died has closed its own, so whoever takes its place need not
    /// wait for its session to end.
    pub(super) fn in_use(&self, broker_id: i32, now_ms: i64, is_open: impl Fn(u64) -> bool) -> bool {
        self.by_broker
            .get(&broker_id)
            .filter(|session| now_ms < self.end_of(session))
            .and_then(|session| session.connection)
            .is_some_and(is_open)
    }

    fn end_of(&self, session: &Session) -> i64 {
        session.end(self.timeout_ms)
    }

    /// When the next session ends, if no more is heard of its broker.
    pub(super) fn due(&self) -> Option<i64> {
        self.by_broker.values().map(|session| self.end_of(session)).min()
    }

    /// The brokers whose session is over, first who has been silent for longest: the last to go stays in sync.
    ///
    /// A controller that looks later by a whole session than it should have was away itself (its process stood still, or
    /// its machine): nobody could be heard, so everybody gets another session.
    pub(super) fn expired(&mut self, now_ms: i64) -> Vec<i32> {
        let latest = self.due().map(|due| due.saturating_add(self.timeout_ms));
        if latest.is_some_and(|latest| now_ms > latest) {
            for session in self.by_broker.values_mut() {
                session.seen_ms = now_ms;
                session.closed_ms = session.closed_ms.map(|_| now_ms);
            }
            return Vec::new();
        }
        let over = self.by_broker.iter();
        let mut over: Vec<_> = over
            .filter(|(_, session)| self.end_of(session) <= now_ms)
            .map(|(id, session)| (session.seen_ms, *id))
            .collect();
        over.sort_unstable();
        over.into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::metadata::BrokerImage;

    const TIMEOUT: Duration = Duration::from_millis(9_000);

    /// Brokers 1 and 2 serve, 3 is fenced; it is 100.
    fn sessions() -> Sessions {
        let mut image = MetadataImage::default();
        for (id, fenced) in [(1, false), (2, false), (3, true)] {
            let broker = BrokerImage {
                id,
                fenced,
                ..BrokerImage::default()
            };
            image.brokers.insert(id, broker);
        }
        Sessions::of(&image, TIMEOUT, 100)
    }

    #[test]
    fn a_session_is_over_when_nothing_is_heard_for_so_long() {
        let mut sessions = sessions();
        assert_eq!(sessions.due(), Some(9_100));
        sessions.touch(2, 7, 1_100);
        assert!(sessions.expired(9_099).is_empty());
        assert_eq!(sessions.expired(9_100), [1]);
        sessions.end(1);
        assert_eq!(sessions.due(), Some(10_100));
        assert_eq!(sessions.expired(10_100), [2]);
        sessions.end(2);
        assert_eq!((sessions.due(), sessions.expired(99_999)), (None, vec![]));
    }

    #[test]
    fn of_several_who_has_been_silent_for_longest_goes_first() {
        let mut sessions = sessions();
        sessions.touch(1, 7, 200);
        assert_eq!(sessions.expired(9_200), [2, 1]);
    }

    #[test]
    fn who_has_gone_is_not_waited_for() {
        let mut sessions = sessions();
        sessions.end(1);
        assert_eq!(sessions.expired(9_100), [2]);
    }

    #[test]
    fn a_controller_that_was_away_itself_gives_everybody_another_session() {
        let mut sessions = sessions();
        assert!(sessions.expired(18_101).is_empty());
        assert_eq!(sessions.due(), Some(27_101));
        assert_eq!(sessions.expired(27_101), [1, 2]);
    }

    #[test]
    fn a_session_ends_soon_after_its_connection_was_closed_unless_the_broker_speaks_again() {
        let mut sessions = sessions();
        sessions.touch(1, 7, 100);
        sessions.touch(2, 8, 100);
        for connection in [7, 8, 9] {
            sessions.closed(connection, 300);
        }
        sessions.closed(7, 900);
        sessions.touch(2, 9, 400);
        sessions.closed(8, 500);
        assert_eq!(sessions.due(), Some(1_300));
        assert_eq!(sessions.expired(1_300), [1]);
        sessions.end(1);
        assert_eq!(sessions.due(), Some(9_400));
    }

    #[test]
    fn a_closed_connection_makes_no_session_longer() {
        let mut sessions = sessions();
        sessions.touch(1, 7, 100);
        sessions.closed(7, 9_000);
        assert_eq!(sessions.due(), Some(9_100));
    }

    #[test]
    fn an_id_is_in_use_while_its_session_goes_on_and_its_connection_is_open() {
        let mut sessions = sessions();
        let open = |connection| connection == 7;
        assert!(!sessions.in_use(1, 100, open), "it has not been heard of");
        sessions.touch(1, 7, 100);
        assert!(sessions.in_use(1, 9_099, open));
        assert!(!sessions.in_use(1, 9_100, open));
        sessions.touch(1, 8, 100);
        assert!(!sessions.in_use(1, 100, open), "its connection is closed");
        assert!(!sessions.in_use(9, 100, open));
    }
}
