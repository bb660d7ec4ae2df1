//! What the records hold: keys and payloads.

use super::options::{Keys, Payload};

/// Java's `SplittableRandom`, so that keys and the parts of a payload file are drawn in the order of Java's tool.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0
    }

    fn next_int(&mut self) -> i32 {
        let mut z = self.next();
        z = (z ^ (z >> 33)).wrapping_mul(0x62a9_d9ed_7997_05f5);
        z = (z ^ (z >> 28)).wrapping_mul(0xcb24_d0a5_c88c_35b3);
        // The upper half.
        (z >> 32) as u32 as i32
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = i32::try_from(bound).unwrap_or(i32::MAX);
        let mask = bound - 1;
        let first = self.next_int();
        let drawn = if bound & mask == 0 {
            first & mask
        } else {
            let mut u = (first as u32 >> 1) as i32;
            loop {
                let rest = u % bound;
                if u.wrapping_add(mask).wrapping_sub(rest) >= 0 {
                    break rest;
                }
                u = (self.next_int() as u32 >> 1) as i32;
            }
        };
        usize::try_from(drawn).unwrap_or(0)
    }

    /// Eight capital letters at once.
    fn letters(&mut self) -> [u8; 8] {
        let mut z = self.next();
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31))
            .to_le_bytes()
            .map(|byte| b'A' + (u16::from(byte) * 26 / 256) as u8)
    }
}

/// Makes one payload after the other.
pub struct Payloads {
    what: Payload,
    keys: Keys,
    random: Random,
    number: u64,
}

impl Payloads {
    /// From the first on.
    pub fn new(what: Payload, keys: Keys, seed: i64) -> Self {
        Payloads {
            what,
            keys,
            random: Random(seed.cast_unsigned()),
            number: 0,
        }
    }

    /// Appends the next payload to `buffer`, and answers its record's key.
    pub fn write(&mut self, buffer: &mut Vec<u8>) -> Option<u64> {
        match &self.what {
            // Keys come from the same source: they are Java's only if each letter takes as much from it as Java's.
            Payload::Random(size) if matches!(self.keys, Keys::Random(_)) => {
                let random = &mut self.random;
                buffer.extend((0..*size).map(|_| b'A' + random.below(26) as u8));
            }
            Payload::Random(size) => {
                let end = buffer.len() + size;
                while buffer.len() < end {
                    buffer.extend_from_slice(&self.random.letters());
                }
                buffer.truncate(end);
            }
            Payload::Among(parts) => {
                let drawn = self.random.below(parts.len());
                buffer.extend_from_slice(&parts[drawn]);
            }
            Payload::Monotonic => buffer.extend_from_slice(self.number.to_string().as_bytes()),
        }
        self.number += 1;
        match self.keys {
            Keys::None => None,
            Keys::Range(range) => Some((self.number - 1) % range.max(1)),
            Keys::Random(range) => Some(self.random.below(usize::try_from(range).unwrap_or(1)) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_drawn_in_javas_order() {
        let parts = ["0", "1", "2"].map(|part| part.as_bytes().to_vec()).to_vec();
        let mut payloads = Payloads::new(Payload::Among(parts), Keys::None, 0);
        let mut drawn = Vec::new();
        (0..12).for_each(|_| assert_eq!(payloads.write(&mut drawn), None));
        assert_eq!(String::from_utf8_lossy(&drawn), "110011201012");
    }

    #[test]
    fn keys_are_drawn_in_javas_order() {
        // As kcat showed them behind Java's tool of 4.4.0.
        for (keys, seed, expected) in [
            (Keys::Range(3), 0, "0 1 2 0 1 2"),
            (
                Keys::Random(10),
                0,
                "6=YQHHN 9=BSEPD 2=SEIFG 4=MSUJX 1=OLTXS 4=LGHDI",
            ),
            (
                Keys::Random(10),
                5,
                "6=CZSGK 0=UCKCX 8=SKRWD 8=DTDKX 6=CELWX 1=YHOGW",
            ),
            (
                Keys::Random(10),
                -7,
                "3=JQRGL 8=UEGNZ 6=UDIMJ 3=YCHVM 7=TBPTP 0=JBHRW",
            ),
        ] {
            let mut payloads = Payloads::new(Payload::Random(5), keys, seed);
            let drawn = (0..6).map(|_| {
                let mut payload = Vec::new();
                let key = payloads.write(&mut payload).unwrap();
                match keys {
                    Keys::Random(_) => format!("{key}={}", String::from_utf8(payload).unwrap()),
                    _ => key.to_string(),
                }
            });
            assert_eq!(drawn.collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn random_letters_are_as_many_as_asked_for() {
        let mut payloads = Payloads::new(Payload::Random(13), Keys::None, 0);
        let mut text = Vec::new();
        payloads.write(&mut text);
        assert_eq!(text.len(), 13);
        assert!(text.iter().all(u8::is_ascii_uppercase));
    }
}
