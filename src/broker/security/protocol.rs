//! How those who come by a listener prove who they are, and whether others can listen.

/// A security protocol, by Kafka's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Anybody comes in, in the clear. The only one that is served here.
    Plaintext = 0,
    /// TLS.
    Ssl = 1,
    /// SASL, in the clear.
    SaslPlaintext = 2,
    /// SASL within TLS.
    SaslSsl = 3,
}

impl SecurityProtocol {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// Kafka's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// The one of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }
}
