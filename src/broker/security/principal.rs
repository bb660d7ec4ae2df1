//! A principal: who asks, as Kafka names them.

use crate::broker::records::principal::DefaultPrincipalData;
use bytes::Bytes;
use std::fmt;

/// Whoever has proved who they are, or nobody in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    kind: String,
    name: String,
    /// Proved by a delegation token (KIP-48).
    by_token: bool,
}

impl Principal {
    /// Whoever comes by a listener that asks nobody who they are.
    pub fn anonymous() -> Self {
        Principal {
            kind: "User".to_owned(),
            name: "ANONYMOUS".to_owned(),
            by_token: false,
        }
    }

    /// As it travels in an envelope (KIP-590): the bytes of Kafka's `DefaultKafkaPrincipalBuilder`. `None` for one that its
    /// layout cannot hold.
    pub fn to_bytes(&self) -> Option<Bytes> {
        let data = DefaultPrincipalData {
            kind: self.kind.clone(),
            name: self.name.clone(),
            token_authenticated: self.by_token,
        };
        data.encode().ok()
    }

    /// The one that came in an envelope; `None` for bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let data = DefaultPrincipalData::decode(bytes).ok()?;
        Some(Principal {
            kind: data.kind,
            name: data.name,
            by_token: data.token_authenticated,
        })
    }
}

/// `User:ANONYMOUS`
impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Kafka's `DefaultKafkaPrincipalBuilder.serialize` makes of `User:ANONYMOUS`: version, two compact texts, a flag, no
    /// tagged fields.
    const ANONYMOUS: &[u8] = b"\0\0\x05User\x0aANONYMOUS\0\0";

    #[test]
    fn nobody_in_particular_is_user_anonymous_in_words_and_in_bytes() {
        let principal = Principal::anonymous();
        assert_eq!(principal.to_string(), "User:ANONYMOUS");
        assert_eq!(principal.to_bytes().unwrap(), ANONYMOUS);
        assert_eq!(Principal::from_bytes(ANONYMOUS), Some(principal));
    }

    #[test]
    fn bytes_that_are_no_principal_are_none() {
        let longer = [ANONYMOUS, &[1]].concat();
        let lying = b"\0\0\x05User\xff\xff\xff\xff\x0fANONYMOUS\0\0";
        let newer = [&[0, 1], &ANONYMOUS[2..]].concat();
        for bytes in [&[][..], &ANONYMOUS[..9], &longer, lying, &newer] {
            assert_eq!(Principal::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
