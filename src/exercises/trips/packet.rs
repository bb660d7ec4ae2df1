//! What devices send: protobuf of proto2 (`lessons/…/files/packet.proto`), in which a message without a field that is required is
//! none.

use prost::Message;

/// A packet as it is written.
#[derive(Clone, PartialEq, Message)]
pub struct Packet {
    /// `required Header header = 1`
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    /// `optional bytes payload = 15`
    #[prost(bytes = "vec", optional, tag = "15")]
    payload: Option<Vec<u8>>,
}

/// The same as it is read: a payload is of no use here, and passed over like any field that is not known.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
}

/// Who sends, when, and which part of which trip. Every field is optional to the codec: it tells of none that it is missing.
#[derive(Clone, PartialEq, Message)]
struct Header {
    /// `required int64 ts = 1`
    #[prost(int64, optional, tag = "1")]
    ts: Option<i64>,
    /// `required int64 device = 2`
    #[prost(int64, optional, tag = "2")]
    device: Option<i64>,
    /// `optional Trip trip = 3`
    #[prost(message, optional, tag = "3")]
    trip: Option<Part>,
}

#[derive(Clone, PartialEq, Message)]
struct Part {
    /// `required int64 start = 1`
    #[prost(int64, optional, tag = "1")]
    start: Option<i64>,
    /// `required int64 end = 2`
    #[prost(int64, optional, tag = "2")]
    end: Option<i64>,
    /// `required uint32 chunk = 3`
    #[prost(uint32, optional, tag = "3")]
    chunk: Option<u32>,
    /// `required uint32 chunks = 4`
    #[prost(uint32, optional, tag = "4")]
    chunks: Option<u32>,
}

/// A packet that was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The device's clock, in ms since 1970-01-01 UTC.
    pub ts: i64,
    /// Which device.
    pub device: i64,
    /// Which part of which trip, when it is of a trip that is sent whole.
    pub trip: Option<Chunk>,
}

/// A part of a trip. Numbers are as they were sent: 0 of 0 is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// When the trip began, in ms since 1970-01-01 UTC by the device's clock.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// Which part, from 1.
    pub chunk: u32,
    /// Of how many.
    pub chunks: u32,
}

impl Heard {
    /// Reads a record's value.
    ///
    /// # Errors
    /// Why it is no packet: there is none, it is torn, or a required field is missing.
    pub fn read(value: Option<&[u8]>) -> Result<Self, String> {
        let value = value.ok_or("it has no value")?;
        let envelope = Envelope::decode(value).map_err(|error| error.to_string())?;
        let header = envelope.header.ok_or_else(|| missing("header"))?;
        Ok(Heard {
            ts: header.ts.ok_or_else(|| missing("header.ts"))?,
            device: header.device.ok_or_else(|| missing("header.device"))?,
            trip: header.trip.map(Part::read).transpose()?,
        })
    }

    /// The value of a record with this packet, and that payload.
    pub fn write(&self, payload: Option<Vec<u8>>) -> Vec<u8> {
        let header = Header {
            ts: Some(self.ts),
            device: Some(self.device),
            trip: self.trip.map(|trip| Part {
                start: Some(trip.start),
                end: Some(trip.end),
                chunk: Some(trip.chunk),
                chunks: Some(trip.chunks),
            }),
        };
        let packet = Packet {
            header: Some(header),
            payload,
        };
        packet.encode_to_vec()
    }
}

impl Part {
    fn read(self) -> Result<Chunk, String> {
        Ok(Chunk {
            start: self.start.ok_or_else(|| missing("header.trip.start"))?,
            end: self.end.ok_or_else(|| missing("header.trip.end"))?,
            chunk: self.chunk.ok_or_else(|| missing("header.trip.chunk"))?,
            chunks: self.chunks.ok_or_else(|| missing("header.trip.chunks"))?,
        })
    }
}

fn missing(field: &str) -> String {
    format!("`{field}` is missing, which is required")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(trip: Option<Chunk>) -> Heard {
        Heard {
            ts: 1,
            device: 2,
            trip,
        }
    }

    const PART: Chunk = Chunk {
        start: 3,
        end: 4,
        chunk: 5,
        chunks: 6,
    };

    #[test]
    fn a_packet_is_the_bytes_that_protoc_makes_of_it() {
        let bytes = heard(Some(PART)).write(Some(b"xy".to_vec()));
        let expected = [
            0x0a, 0x0e, 0x08, 1, 0x10, 2, 0x1a, 0x08, 0x08, 3, 0x10, 4, 0x18, 5, 0x20, 6, 0x7a, 2, b'x', b'y',
        ];
        // The header is 14 bytes long: two of each number, and the trip.
        assert_eq!(bytes, expected);
        assert_eq!(Heard::read(Some(&bytes)), Ok(heard(Some(PART))));
    }

    #[test]
    fn fields_come_in_any_order_and_unknown_ones_are_passed_over() {
        let odd = [
            0x7a, 1, b'p', // payload
            0x0a, 0x04, 0x10, 2, 0x08, 1, // device, ts
            0x9a, 0x06, 2, b'?', b'?', // field 99, bytes
            0xa0, 0x06, 7, // field 100, a number
        ];
        assert_eq!(Heard::read(Some(&odd)), Ok(heard(None)));
    }

    #[test]
    fn a_header_in_two_pieces_is_one() {
        let pieces = [0x0a, 2, 0x08, 1, 0x0a, 2, 0x10, 2];
        assert_eq!(Heard::read(Some(&pieces)), Ok(heard(None)));
    }

    #[test]
    fn what_lacks_a_required_field_is_none() {
        let said = |bytes: &[u8]| Heard::read(Some(bytes)).unwrap_err();
        assert_eq!(Heard::read(None).unwrap_err(), "it has no value");
        assert_eq!(said(b""), "`header` is missing, which is required");
        assert_eq!(said(&[0x7a, 1, b'p']), "`header` is missing, which is required");
        assert_eq!(
            said(&[0x0a, 2, 0x10, 2]),
            "`header.ts` is missing, which is required"
        );
        assert_eq!(
            said(&[0x0a, 2, 0x08, 1]),
            "`header.device` is missing, which is required"
        );
        let whole = [
            0x0a, 0x0e, 0x08, 1, 0x10, 2, 0x1a, 8, 0x08, 3, 0x10, 4, 0x18, 5, 0x20, 6,
        ];
        let without = |at: usize| {
            let mut bytes = whole.to_vec();
            bytes.drain(at..at + 2);
            bytes[1] -= 2;
            bytes[7] -= 2;
            said(&bytes)
        };
        for (at, field) in [(8, "start"), (10, "end"), (12, "chunk"), (14, "chunks")] {
            assert_eq!(
                without(at),
                format!("`header.trip.{field}` is missing, which is required")
            );
        }
    }

    #[test]
    fn what_is_torn_is_none() {
        let whole = heard(Some(PART)).write(None);
        for length in 1..whole.len() {
            assert!(Heard::read(Some(&whole[..length])).is_err(), "{length} bytes");
        }
        assert!(Heard::read(Some(b"hello")).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(
            ts: i64, device: i64, start: i64, end: i64, chunk: u32, chunks: u32, trip: bool,
            payload in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
        ) {
            let trip = trip.then_some(Chunk { start, end, chunk, chunks });
            let heard = Heard { ts, device, trip };
            prop_assert_eq!(Heard::read(Some(&heard.write(payload))), Ok(heard));
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Heard::read(Some(&bytes));
        }
    }
}
