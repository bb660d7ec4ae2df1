//! What others wrote, on its way to a terminal.
//!
//! A terminal obeys what it is sent: codes in it move the cursor, change what stands there already, rename the window, type
//! for the user. Names, values and error texts of a cluster, a server or a file can hold such codes, so none of them goes
//! to a terminal as it is: each is written out, as `\u001b` (so that JSON stays JSON). Data for a pipe or a file stay as
//! they are, to the byte.

use std::borrow::Cow;
use std::io::IsTerminal;

/// A text without anything that a terminal would obey but line feeds and tabs.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !may_harm(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    spell_out(text, &mut shown);
    Cow::Owned(shown)
}

/// The same for our own texts in colour: what sets colours passes too, and nothing else.
pub fn harmless_but_colours(text: &str) -> Cow<'_, str> {
    if !may_harm(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        let (before, code) = rest.split_at(at);
        spell_out(before, &mut shown);
        let length = colour(code).unwrap_or(0);
        let (code, after) = code.split_at(length);
        shown.push_str(code);
        rest = after;
        if length == 0 {
            spell_out("\x1b", &mut shown);
            rest = rest.strip_prefix('\x1b').unwrap_or(rest);
        }
    }
    spell_out(rest, &mut shown);
    Cow::Owned(shown)
}

/// How foreign bytes go to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// As they are: a file or a program reads them.
    Off,
    /// Harmless: a terminal shows them.
    On,
}

impl Guard {
    /// What stdout needs.
    pub fn of_stdout() -> Self {
        if std::io::stdout().is_terminal() {
            Guard::On
        } else {
            Guard::Off
        }
    }

    /// Appends foreign bytes. What is no UTF-8 is spelt out too, as `\xff`: what a terminal takes it for is not known.
    pub fn put(self, bytes: &[u8], out: &mut Vec<u8>) {
        if self == Guard::Off || (bytes.is_ascii() && !may_harm(bytes)) {
            out.extend_from_slice(bytes);
            return;
        }
        for chunk in bytes.utf8_chunks() {
            out.extend_from_slice(harmless(chunk.valid()).as_bytes());
            for byte in chunk.invalid() {
                out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
            }
        }
    }

    /// A text for stdout.
    pub fn text(self, text: &str) -> Cow<'_, str> {
        match self {
            Guard::Off => Cow::Borrowed(text),
            Guard::On => harmless(text),
        }
    }
}

/// Whether any byte is, or begins, what a terminal may obey.
fn may_harm(bytes: &[u8]) -> bool {
    // In UTF-8 the second set of control characters (U+0080 to U+009F) begins with this byte.
    const SECOND_SET: u8 = 0xc2;
    bytes
        .iter()
        .any(|byte| (byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t')) || *byte == SECOND_SET)
}

fn spell_out(text: &str, shown: &mut String) {
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_a_line = letter == '\r' && letters.peek() == Some(&'\n');
        if letter.is_control() && !matches!(letter, '\n' | '\t') && !ends_a_line {
            shown.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            shown.push(letter);
        }
    }
}

/// The length of a code that sets colours, if the text begins with one: `ESC [ 1;31 m`.
fn colour(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\x1b[")?;
    let end = codes.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    codes.get(end..)?.starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelt_out_and_all_else_stays() {
        for (text, shown) in [
            ("señal 日本\n\tx\r\n", "señal 日本\n\tx\r\n"),
            ("a\x1b[2Jb", "a\\u001b[2Jb"),
            ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
            ("over\rwritten", "over\\u000dwritten"),
            ("back\x08\x7f", "back\\u0008\\u007f"),
            // The same codes as single characters.
            ("\u{9b}31m\u{90}", "\\u009b31m\\u0090"),
            ("\0", "\\u0000"),
        ] {
            assert_eq!(harmless(text), shown);
            let mut out = Vec::new();
            Guard::On.put(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), shown);
            let mut out = Vec::new();
            Guard::Off.put(text.as_bytes(), &mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_text_is_spelt_out_byte_by_byte() {
        let mut out = Vec::new();
        Guard::On.put(b"\xff\x9b1mA\xc3\xa9", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\\xff\\x9b1mAé");
    }

    #[test]
    fn our_own_colours_pass_and_no_other_code() {
        for (text, shown) in [
            ("\x1b[1m\x1b[36mbold\x1b[0m", "\x1b[1m\x1b[36mbold\x1b[0m"),
            ("\x1b[38;5;1mred\x1b[m", "\x1b[38;5;1mred\x1b[m"),
            ("\x1b[2J\x1b[31mx", "\\u001b[2J\x1b[31mx"),
            ("\x1b]0;t\x07", "\\u001b]0;t\\u0007"),
            ("cut \x1b[3", "cut \\u001b[3"),
            ("cut \x1b", "cut \\u001b"),
        ] {
            assert_eq!(harmless_but_colours(text), shown);
        }
    }
}
