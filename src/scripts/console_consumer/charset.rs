//! The charsets that every Java has.

use crate::scripts::java_format;

/// How text is written in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// Seven bits.
    Ascii,
    /// Eight bits: the first 256 characters of Unicode.
    Latin1,
    /// Two bytes, the greater first unless a mark at the beginning says otherwise.
    Utf16,
    /// Two bytes, the greater first.
    Utf16Be,
    /// Two bytes, the lesser first.
    Utf16Le,
}

/// What stands for bytes that are no character.
const REPLACEMENT: char = '\u{FFFD}';

impl Charset {
    /// The charset that Java knows by that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Charset::Utf8,
            "US-ASCII" | "ASCII" | "ASCII7" | "ISO646-US" | "646" => Charset::Ascii,
            "ISO-8859-1" | "ISO8859-1" | "ISO_8859-1" | "ISO8859_1" | "LATIN1" | "L1" => Charset::Latin1,
            "UTF-16" | "UTF16" | "UTF_16" => Charset::Utf16,
            "UTF-16BE" | "UTF_16BE" => Charset::Utf16Be,
            "UTF-16LE" | "UTF_16LE" => Charset::Utf16Le,
            _ => return None,
        })
    }

    /// The text; what is none is replaced.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Charset::Utf8 => java_format::text(bytes).into_owned(),
            Charset::Ascii => {
                let character = |byte: &u8| {
                    if byte.is_ascii() {
                        char::from(*byte)
                    } else {
                        REPLACEMENT
                    }
                };
                bytes.iter().map(character).collect()
            }
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Charset::Utf16Le => utf16(bytes, u16::from_le_bytes),
            Charset::Utf16 => match bytes {
                [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
                [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
                bytes => utf16(bytes, u16::from_be_bytes),
            },
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units)
        .map(|character| character.unwrap_or(REPLACEMENT))
        .collect();
    if !odd.is_empty() {
        text.push(REPLACEMENT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_charset_it_was_written_in() {
        let read = |name: &str, bytes: &[u8]| Charset::named(name).map(|charset| charset.decode(bytes));
        let read = |name: &str, bytes: &[u8]| read(name, bytes).unwrap_or_default();
        assert_eq!(read("latin1", b"v\xE9lib"), "v\u{E9}lib");
        assert_eq!(read("ascii", b"v\xE9lib"), "v\u{FFFD}lib");
        assert_eq!(read("UTF-16", b"\0v\0\xE9"), "v\u{E9}");
        assert_eq!(read("utf8", b"v\xED\xA0\x80\xE9l"), "v\u{FFFD}\u{FFFD}l");
        assert_eq!(read("utf-16", b"\xFF\xFEv\0"), "v");
        assert_eq!(read("UTF-16LE", b"v\0\xE9"), "v\u{FFFD}");
        assert_eq!(Charset::named("Shift_JIS"), None);
    }
}
