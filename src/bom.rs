//! Text files from Windows: editors there put a byte order mark before the first letter, which belongs to no word of it.

use std::io;
use std::path::Path;

/// The mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes without a byte order mark before them.
pub fn skip(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// The beginning of a stream that arrives in bits.
#[derive(Debug, Default)]
pub struct Beginning {
    passed: bool,
}

impl Beginning {
    /// Takes the mark away from what has arrived so far, once there is enough to tell. `ended` when nothing will follow.
    /// Answers whether it took anything.
    pub fn look(&mut self, arrived: &mut Vec<u8>, ended: bool) -> bool {
        let undecided = !ended && arrived.len() < MARK.len() && MARK.starts_with(arrived);
        if self.passed || undecided {
            return false;
        }
        self.passed = true;
        let marked = arrived.starts_with(MARK);
        if marked {
            arrived.drain(..MARK.len());
        }
        marked
    }
}

/// A text without a byte order mark before it.
pub fn skip_in_text(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The text of a file, without its byte order mark. Also read are the two kinds of UTF-16, which their marks name and
/// which `>` of Windows' PowerShell writes.
///
/// # Errors
/// When the file cannot be read, or is no text.
pub fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    text(std::fs::read(path)?)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => {
            let text = String::from_utf8(bytes).map_err(|error| {
                wrong(format!(
                    "no UTF-8: a wrong byte at {}",
                    error.utf8_error().valid_up_to()
                ))
            })?;
            return Ok(match text.strip_prefix('\u{feff}') {
                Some(rest) => rest.to_owned(),
                None => text,
            });
        }
    };
    let pairs = bytes.get(2..).unwrap_or_default().chunks(2);
    let units: Option<Vec<u16>> = pairs.map(|pair| Some(unit(pair.try_into().ok()?))).collect();
    let units = units.ok_or_else(|| wrong("UTF-16 of an odd number of bytes".to_owned()))?;
    String::from_utf16(&units).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_goes_and_only_at_the_beginning() {
        assert_eq!(skip(b"\xef\xbb\xbfa\xef\xbb\xbf"), b"a\xef\xbb\xbf");
        assert_eq!(skip(b"\xef\xbb"), b"\xef\xbb");
        assert_eq!(skip_in_text("\u{feff}\u{feff}a"), "\u{feff}a");
        assert_eq!(text("\u{feff}señal".into()).unwrap(), "señal");
        assert_eq!(text("señal".into()).unwrap(), "señal");
        assert_eq!(text(Vec::new()).unwrap(), "");
    }

    #[test]
    fn a_stream_that_arrives_byte_by_byte_loses_the_mark_and_waits_for_no_more_than_that() {
        for (stream, left) in [
            (&b"\xef\xbb\xbfab"[..], &b"ab"[..]),
            (b"\xef\xbb", b"\xef\xbb"),
            (b"\xef\xbba", b"\xef\xbba"),
            (b"ab", b"ab"),
            (b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb\xbf"),
        ] {
            let mut beginning = Beginning::default();
            let mut arrived = Vec::new();
            for byte in stream {
                arrived.push(*byte);
                beginning.look(&mut arrived, false);
            }
            beginning.look(&mut arrived, true);
            assert_eq!(arrived, left, "{stream:?}");
        }
        let mut beginning = Beginning::default();
        beginning.look(&mut b"a".to_vec(), false);
        assert!(beginning.passed);
    }

    #[test]
    fn what_powershell_writes_is_text_too() {
        let words: Vec<u16> = "señal 🚲\r\n".encode_utf16().collect();
        let little: Vec<u8> = words.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = words.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(
            text([b"\xff\xfe", little.as_slice()].concat()).unwrap(),
            "señal 🚲\r\n"
        );
        assert_eq!(
            text([b"\xfe\xff", big.as_slice()].concat()).unwrap(),
            "señal 🚲\r\n"
        );
        for wrong in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"a\xff"] {
            assert_eq!(
                text(wrong.to_vec()).unwrap_err().kind(),
                io::ErrorKind::InvalidData
            );
        }
    }
}
