//! Who asked, in the envelope of a request that a broker passes on (KIP-590). No record, but of the same make: its version,
//! and what that version has.

use super::frame::leading_number;
use super::wire::{Field, Message, Reader, Result, Writer};
use bytes::{Bytes, BytesMut};
use std::ops::RangeInclusive;

/// The version that is written.
const VERSION: i16 = 0;

/// A principal, as Kafka's own brokers hand it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultPrincipalData {
    /// `User`
    pub kind: String,
    /// Its name.
    pub name: String,
    /// It was proved by a delegation token.
    pub token_authenticated: bool,
}

impl Message for DefaultPrincipalData {
    const NAME: &'static str = "DefaultPrincipalData";
    const VERSIONS: RangeInclusive<i16> = VERSION..=VERSION;
    const FLEXIBLE_SINCE: i16 = 0;
}

impl Field for DefaultPrincipalData {
    fn read(input: &mut Reader<'_>) -> Result<Self> {
        let data = DefaultPrincipalData {
            kind: Field::read(input)?,
            name: Field::read(input)?,
            token_authenticated: Field::read(input)?,
        };
        input.skip_tagged()?;
        Ok(data)
    }

    fn write(&self, out: &mut Writer) {
        self.kind.write(out);
        self.name.write(out);
        self.token_authenticated.write(out);
        out.no_tags();
    }
}

impl DefaultPrincipalData {
    /// Version and content.
    ///
    /// # Errors
    /// A name over 2 GiB.
    pub fn encode(&self) -> Result<Bytes> {
        Writer::message(BytesMut::from(&VERSION.to_be_bytes()[..]), VERSION, self)
    }

    /// Reads version and content, all of it.
    ///
    /// # Errors
    /// [`super::RecordError`] names what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (version, body) = leading_number(bytes, Self::NAME)?;
        let mut input = Reader::new::<Self>(version, body)?;
        let data = Self::read(&mut input)?;
        match input.rest() {
            [] => Ok(data),
            _ => Err(input.malformed("something follows it")),
        }
    }
}
