//! JSON as text.

/// A JSON text without the white space between its tokens.
pub fn compact(json: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for byte in json {
        if !quoted && byte.is_ascii_whitespace() {
            continue;
        }
        match (quoted, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, false, b'"') => quoted = !quoted,
            _ => {}
        }
        kept.push(*byte);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_but_not_within_strings() {
        let text = b" {\n \"a b\" : \" \\\" x \", \"n\": 18446744073709551615 }\n";
        assert_eq!(
            compact(text),
            b"{\"a b\":\" \\\" x \",\"n\":18446744073709551615}"
        );
    }
}
