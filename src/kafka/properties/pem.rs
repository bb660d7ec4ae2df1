//! PEM text as OpenSSL wants it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How many characters of base64 stand in a line.
const WIDTH: usize = 64;

/// The same blocks, each with its header, its base64 and its footer in lines of their own: a property's value is often
/// one line, which Java reads and OpenSSL does not. Old keys with `Proc-Type:` lines stay as they are.
pub(super) fn lines(text: &str) -> String {
    let mut rest = text;
    let mut done = String::new();
    while let Some(block) = next_block(&mut rest) {
        let (label, body) = block;
        if body.contains(':') {
            return text.to_owned();
        }
        push(&mut done, label, &body.split_whitespace().collect::<String>());
    }
    if done.is_empty() { text.to_owned() } else { done }
}

/// Certificates in DER as PEM.
pub(super) fn certificates(all: &[&[u8]]) -> String {
    let mut done = String::new();
    for certificate in all {
        push(&mut done, "CERTIFICATE", &STANDARD.encode(certificate));
    }
    done
}

fn next_block<'a>(rest: &mut &'a str) -> Option<(&'a str, &'a str)> {
    let (_, after) = rest.split_once("-----BEGIN ")?;
    let (label, after) = after.split_once("-----")?;
    let (body, after) = after.split_once("-----END ")?;
    *rest = after.split_once("-----")?.1;
    Some((label, body))
}

fn push(text: &mut String, label: &str, base64: &str) {
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(WIDTH).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_in_der_become_blocks() {
        let text = certificates(&[&[0; 60], b"abc"]);
        let expected = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n\
             -----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n",
            "A".repeat(64),
            "A".repeat(16)
        );
        assert_eq!(text, expected);
        assert_eq!(lines(&text.replace('\n', " ")), expected);
    }

    #[test]
    fn what_is_no_block_stays() {
        assert_eq!(lines("nothing"), "nothing");
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(lines(old), old);
    }
}
