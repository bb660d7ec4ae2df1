//! What the records hold.

use super::options::Payload;

/// Java's `SplittableRandom(0)`, so that a payload file is drawn from in the order of Java's tool.
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
    random: Random,
    number: u64,
}

impl Payloads {
    /// From the first on.
    pub fn new(what: Payload) -> Self {
        Payloads {
            what,
            random: Random(0),
            number: 0,
        }
    }

    /// Appends the next one.
    pub fn write(&mut self, buffer: &mut Vec<u8>) {
        match &self.what {
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_drawn_in_javas_order() {
        let parts = ["0", "1", "2"].map(|part| part.as_bytes().to_vec()).to_vec();
        let mut payloads = Payloads::new(Payload::Among(parts));
        let mut drawn = Vec::new();
        (0..12).for_each(|_| payloads.write(&mut drawn));
        assert_eq!(String::from_utf8_lossy(&drawn), "110011201012");
    }

    #[test]
    fn random_letters_are_as_many_as_asked_for() {
        let mut payloads = Payloads::new(Payload::Random(13));
        let mut text = Vec::new();
        payloads.write(&mut text);
        assert_eq!(text.len(), 13);
        assert!(text.iter().all(u8::is_ascii_uppercase));
    }
}
