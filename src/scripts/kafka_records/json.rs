//! JSON text as Jackson, Java's JSON library, writes it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A quoted string.
pub fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if u32::from(control) < 0x20 => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Bytes, in base64.
pub fn bytes(bytes: &[u8], out: &mut String) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// A uuid in Kafka's own letters.
pub fn uuid(bytes: &[u8], out: &mut String) {
    out.push('"');
    URL_SAFE_NO_PAD.encode_string(bytes, out);
    out.push('"');
}

/// A number as Java's `Double.toString` has it.
pub fn float(value: f64, out: &mut String) {
    let size = value.abs();
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 {
            "\"Infinity\""
        } else {
            "\"-Infinity\""
        });
    } else if size == 0.0 || (1e-3..1e7).contains(&size) {
        out.push_str(&format!("{value:?}"));
    } else {
        let text = format!("{value:E}");
        match text.split_once('E') {
            Some((digits, power)) if !digits.contains('.') => out.push_str(&format!("{digits}.0E{power}")),
            _ => out.push_str(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_and_letters_look_like_javas() {
        let show = |value| {
            let mut out = String::new();
            super::float(value, &mut out);
            out
        };
        assert_eq!(
            [0.0, 1000.0, 1e7, 1.5e10, 1e-4].map(show),
            ["0.0", "1000.0", "1.0E7", "1.5E10", "1.0E-4"]
        );
        let mut out = String::new();
        super::string("a\"\\\n\u{1f}ñ", &mut out);
        assert_eq!(out, "\"a\\\"\\\\\\n\\u001Fñ\"");
    }
}
