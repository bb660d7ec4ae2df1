//! What a handler knows of a request beside its body.

use crate::broker::groups::Caller;
use crate::broker::security::Session;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use std::sync::Arc;
use std::time::Duration;

/// What is known of a request beside its body.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Version of the request, within what the table advertises.
    pub api_version: i16,
    /// The number by which the client knows its answer.
    pub correlation_id: i32,
    /// `client.id` of the request header, empty if absent.
    pub client_id: String,
    /// Who asks, and how they came.
    pub session: Arc<Session>,
}

impl RequestContext {
    /// Who asks, as a group keeps it of its members.
    pub fn caller(&self) -> Caller {
        Caller {
            client_id: self.client_id.clone(),
            client_host: format!("/{}", self.session.peer().ip()),
            api_version: self.api_version,
        }
    }

    /// What the client is told of an error: it knows `PRODUCER_FENCED` since version `first` of the request; before that, the
    /// epoch was said to be wrong.
    pub fn fencing(&self, first: i16, error: ResponseError) -> ResponseError {
        match error {
            ResponseError::ProducerFenced if self.api_version < first => ResponseError::InvalidProducerEpoch,
            error => error,
        }
    }

    /// The value of a field that answers have since version `first`, and for older ones what they must be left with: an
    /// answer that says what its version cannot is none, and ends the connection.
    pub fn since<T>(&self, first: i16, value: T, absent: T) -> T {
        if self.api_version >= first { value } else { absent }
    }

    /// Until when what is asked for is wanted: as long as the request says, if it says so, and not longer than `most`; and
    /// only while whoever asks is there.
    pub fn wanted(&self, timeout_ms: Option<i32>, most: Duration) -> Wanted {
        let said = timeout_ms.and_then(|ms| u64::try_from(ms).ok());
        let said = said.filter(|ms| *ms > 0).map(Duration::from_millis);
        let time = said.map_or(most, |said| said.min(most));
        Wanted::during(time, self.session.peer_gone().clone())
    }
}
