//! What is answered to a request of which nothing is done.

use kafka_protocol::ResponseError;
use kafka_protocol::protocol::Request;

/// Every API says what it answers when a request is refused as a whole: because of who asks, because the controller cannot be
/// reached, or because nothing can be written. As in Kafka, the error stands wherever a client looks for its own.
pub trait Refuse: Request {
    /// The refusal, which `version` must be able to say.
    fn refused(&self, version: i16, error: ResponseError) -> Self::Response;

    /// Whether the client waits for an answer at all.
    fn wants_answer(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
