//! Texts of the protocol.

use kafka_protocol::protocol::StrBytes;

/// A text of the protocol.
pub fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// A text of the protocol that may be null; empty becomes null.
pub fn message(text: impl Into<String>) -> Option<StrBytes> {
    let text = text.into();
    (!text.is_empty()).then(|| StrBytes::from_string(text))
}
