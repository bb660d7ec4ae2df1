//! Which of a block of chunks have come: ranges while they are few, else a bit each. It takes memory by what came, never by how
//! many are said to come.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt::Write;

/// How many chunks a block has.
pub const BLOCK: u32 = 1 << 16;
/// The most ranges before they are turned into bits, which take 8 KiB.
const RANGES: usize = 1_024;
const WORDS: usize = BLOCK as usize / 64;

/// Some of the numbers from 0 to 65,535.
#[derive(Debug, Clone)]
pub struct Indexes(Form);

#[derive(Debug, Clone)]
enum Form {
    /// First and last of each range, in order; between two of them a number is missing.
    Ranges(Vec<(u16, u16)>),
    Bits(Box<[u64]>),
}

impl Default for Indexes {
    fn default() -> Self {
        Indexes(Form::Ranges(Vec::new()))
    }
}

impl Indexes {
    /// Adds a number; false when it is there already.
    pub fn insert(&mut self, index: u16) -> bool {
        match &mut self.0 {
            Form::Bits(words) => set(words, index),
            Form::Ranges(ranges) => {
                let fresh = widen(ranges, index);
                if ranges.len() > RANGES {
                    self.0 = Form::Bits(bits_of(ranges));
                }
                fresh
            }
        }
    }

    /// As text that [`Indexes::from_text`] reads: `1-3,7`, counted from one as chunks are; or `bits:` and base64, the lowest
    /// bit of the first byte being the first chunk.
    pub fn to_text(&self) -> String {
        match &self.0 {
            Form::Ranges(ranges) => {
                let mut text = String::new();
                for (first, last) in ranges {
                    let (first, last) = (u32::from(*first) + 1, u32::from(*last) + 1);
                    let comma = if text.is_empty() { "" } else { "," };
                    // Writing to memory cannot fail.
                    let _ = match first == last {
                        true => write!(text, "{comma}{first}"),
                        false => write!(text, "{comma}{first}-{last}"),
                    };
                }
                text
            }
            Form::Bits(words) => {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                format!("bits:{}", STANDARD_NO_PAD.encode(bytes))
            }
        }
    }

    /// Reads what [`Indexes::to_text`] wrote; none for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        if let Some(coded) = text.strip_prefix("bits:") {
            let bytes = STANDARD_NO_PAD.decode(coded).ok()?;
            let (words, rest) = bytes.as_chunks::<8>();
            let words: Box<[u64]> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
            return (rest.is_empty() && words.len() == WORDS).then_some(Indexes(Form::Bits(words)));
        }
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            let apart = ranges
                .last()
                .is_none_or(|(_, before)| u32::from(first) > u32::from(*before) + 1);
            if first > last || !apart {
                return None;
            }
            ranges.push((first, last));
        }
        Some(Indexes(Form::Ranges(ranges)))
    }
}

/// A chunk's number as an index.
fn number(text: &str) -> Option<u16> {
    u16::try_from(text.parse::<u32>().ok()?.checked_sub(1)?).ok()
}

fn set(words: &mut [u64], index: u16) -> bool {
    let Some(word) = words.get_mut(usize::from(index) / 64) else {
        return false;
    };
    let bit = 1 << (index % 64);
    let fresh = *word & bit == 0;
    *word |= bit;
    fresh
}

fn bits_of(ranges: &[(u16, u16)]) -> Box<[u64]> {
    let mut words = vec![0; WORDS].into_boxed_slice();
    for (first, last) in ranges {
        for index in *first..=*last {
            set(&mut words, index);
        }
    }
    words
}

fn widen(ranges: &mut Vec<(u16, u16)>, index: u16) -> bool {
    let at = ranges.partition_point(|(_, last)| *last < index);
    if ranges.get(at).is_some_and(|(first, _)| *first <= index) {
        return false;
    }
    let before = at.checked_sub(1).filter(|before| {
        ranges
            .get(*before)
            .is_some_and(|(_, last)| last.checked_add(1) == Some(index))
    });
    let behind = ranges
        .get(at)
        .copied()
        .filter(|(first, _)| first.checked_sub(1) == Some(index));
    match (before, behind) {
        (Some(before), Some((_, last))) => {
            ranges[before].1 = last;
            ranges.remove(at);
        }
        (Some(before), None) => ranges[before].1 = index,
        (None, Some((_, last))) => ranges[at] = (index, last),
        (None, None) => ranges.insert(at, (index, index)),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_came_reads_as_a_person_would_write_it() {
        let mut indexes = Indexes::default();
        assert_eq!(indexes.to_text(), "");
        for index in [6, 0, 2, 1, 65_535] {
            assert!(indexes.insert(index));
        }
        assert!(!indexes.insert(2));
        assert_eq!(indexes.to_text(), "1-3,7,65536");
    }

    #[test]
    fn a_text_that_is_none_is_refused() {
        for wrong in ["0", "1-", "3-1", "1,2", "5,1", "65537", "x", "bits:AA", ","] {
            assert!(Indexes::from_text(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_other_chunk_of_a_block_takes_a_bit_each() {
        let mut indexes = Indexes::default();
        for index in (0..=u16::MAX).step_by(2) {
            assert!(indexes.insert(index));
        }
        assert!(indexes.to_text().len() < 11_000);
        let mut back = Indexes::from_text(&indexes.to_text()).unwrap();
        assert!(!back.insert(0));
        assert!(back.insert(1));
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            numbers in proptest::collection::vec(prop_oneof![0_u16..40, 65_500_u16..=65_535, any::<u16>()], 0..3_000),
        ) {
            let (mut indexes, mut model) = (Indexes::default(), BTreeSet::new());
            for (at, number) in numbers.iter().enumerate() {
                prop_assert_eq!(indexes.insert(*number), model.insert(*number));
                if at % 500 == 0 {
                    indexes = Indexes::from_text(&indexes.to_text()).unwrap();
                }
            }
            for number in &numbers {
                prop_assert!(!indexes.insert(*number));
            }
        }
    }
}
