//! The trusted certificates of a JKS file, Java's own store until version 9. They are in the clear; only private keys
//! are encrypted, in a way of Java's own.

/// The first bytes of a JKS file.
pub(super) const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
/// The first bytes of a JCEKS file, which is the same for certificates.
pub(super) const JCEKS_MAGIC: [u8; 4] = [0xce; 4];

const PRIVATE_KEY: u32 = 1;
const TRUSTED_CERTIFICATE: u32 = 2;

/// The trusted certificates, in DER.
///
/// # Errors
/// When the file is broken off, or has entries of another kind.
pub(super) fn trusted(file: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut rest = Rest(file);
    rest.take(4)?;
    let version = rest.number()?;
    let mut found = Vec::new();
    for _ in 0..rest.number()? {
        let kind = rest.number()?;
        let alias = rest.short()?;
        rest.take(alias)?;
        rest.take(8)?;
        match kind {
            TRUSTED_CERTIFICATE => found.push(rest.certificate(version)?),
            // Java trusts the certificate of a key, too, but not those of its authorities.
            PRIVATE_KEY => {
                rest.block()?;
                for place in 0..rest.number()? {
                    let certificate = rest.certificate(version)?;
                    if place == 0 {
                        found.push(certificate);
                    }
                }
            }
            _ => return Err("it holds secret keys, which Java alone can read".to_owned()),
        }
    }
    Ok(found)
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or("it breaks off in the middle")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn short(&mut self) -> Result<usize, String> {
        let bytes = self.take(2)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn block(&mut self) -> Result<&'a [u8], String> {
        let length = self.number()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn certificate(&mut self, version: u32) -> Result<&'a [u8], String> {
        if version > 1 {
            let kind = self.short()?;
            self.take(kind)?;
        }
        self.block()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut entry = vec![0, 0, 0, kind, 0, 2, b'c', b'a', 0, 0, 0, 0, 0, 0, 0, 9];
        entry.extend_from_slice(content);
        entry
    }

    const X509: &[u8] = b"\0\x05X.509\0\0\0\x03der";

    #[test]
    fn certificates_are_found_between_keys() {
        let mut file = MAGIC.to_vec();
        file.extend([0, 0, 0, 2, 0, 0, 0, 3]);
        file.extend(entry(2, X509));
        file.extend(entry(
            1,
            &[b"\0\0\0\x02pk\0\0\0\x02\0\x05X.509\0\0\0\x03own", X509].concat(),
        ));
        file.extend(entry(2, X509));
        file.extend([0; 20]);
        assert_eq!(trusted(&file).unwrap(), [b"der", b"own", b"der"]);
        for length in 0..file.len() - 20 {
            assert!(trusted(&file[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        let mut file = MAGIC.to_vec();
        file.extend([0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff]);
        file.extend(entry(2, b"\0\x05X.509\xff\xff\xff\xff"));
        assert!(trusted(&file).is_err());
    }
}
