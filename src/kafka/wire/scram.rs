//! SCRAM (RFC 5802, RFC 7677): proves that a password is known without sending it, and that the broker knows it too.

use super::security::Credentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

/// The least number of rounds that RFC 7677 lets a server ask for.
const LEAST_ROUNDS: u32 = 4096;
/// More would only keep us busy.
const MOST_ROUNDS: u32 = 10_000_000;

/// One login.
pub(super) struct Scram {
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    is_sha512: bool,
    password: String,
    first: String,
    nonce: String,
    verdict: Option<hmac::Tag>,
}

impl Scram {
    /// A login with a nonce of its own.
    pub fn new(is_sha512: bool, credentials: &Credentials) -> Self {
        Self::with_nonce(is_sha512, credentials, BASE64.encode(rand::random::<[u8; 24]>()))
    }

    fn with_nonce(is_sha512: bool, credentials: &Credentials, nonce: String) -> Self {
        let (digest, hmac) = if is_sha512 {
            (&digest::SHA512, hmac::HMAC_SHA512)
        } else {
            (&digest::SHA256, hmac::HMAC_SHA256)
        };
        let user = credentials.user.replace('=', "=3D").replace(',', "=2C");
        Scram {
            digest,
            hmac,
            is_sha512,
            password: credentials.password.clone(),
            first: format!("n={user},r={nonce}"),
            nonce,
            verdict: None,
        }
    }

    /// What the client says first; `n,,` declines a binding to TLS.
    pub fn first_message(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// The proof, made for the server's challenge.
    ///
    /// # Errors
    /// When the challenge is none, or is not for this login.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<String, String> {
        let challenge = readable(challenge)?;
        let nonce = field(challenge, 'r').ok_or("the broker's SCRAM challenge has no nonce")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the broker's SCRAM challenge is for another login".to_owned());
        }
        let salt = field(challenge, 's')
            .and_then(|salt| BASE64.decode(salt).ok())
            .ok_or("the broker's SCRAM challenge has no salt")?;
        let rounds = field(challenge, 'i')
            .and_then(|rounds| rounds.parse().ok())
            .filter(|rounds| (LEAST_ROUNDS..=MOST_ROUNDS).contains(rounds))
            .and_then(NonZeroU32::new)
            .ok_or("the broker's SCRAM challenge asks for too few or too many rounds")?;
        let salted = salted(self.is_sha512, rounds, &salt, &self.password);
        let client_key = self.sign(&salted, b"Client Key");
        let stored_key = digest::digest(self.digest, client_key.as_ref());
        let without_proof = format!("c=biws,r={nonce}");
        let said = format!("{},{challenge},{without_proof}", self.first);
        let signature = self.sign(stored_key.as_ref(), said.as_bytes());
        let server_key = self.sign(&salted, b"Server Key");
        self.verdict = Some(self.sign(server_key.as_ref(), said.as_bytes()));
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, signed)| key ^ signed)
            .collect();
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)))
    }

    /// Checks that the server knows the password too.
    ///
    /// # Errors
    /// When it does not, or says why it refuses us.
    pub fn verify(&self, verdict: &[u8]) -> Result<(), String> {
        let verdict = readable(verdict)?;
        if let Some(why) = field(verdict, 'e') {
            return Err(why.to_owned());
        }
        let theirs = field(verdict, 'v').and_then(|text| BASE64.decode(text).ok());
        match (theirs, &self.verdict) {
            (Some(theirs), Some(ours)) if theirs == ours.as_ref() => Ok(()),
            _ => Err("the broker does not know this user's password".to_owned()),
        }
    }

    fn sign(&self, key: &[u8], message: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(self.hmac, key), message)
    }
}

/// A password as a broker keeps it: salted, and hashed so many times by SHA-256 or SHA-512.
pub(super) fn salted(is_sha512: bool, rounds: NonZeroU32, salt: &[u8], password: &str) -> Vec<u8> {
    let (algorithm, length) = if is_sha512 {
        (pbkdf2::PBKDF2_HMAC_SHA512, digest::SHA512_OUTPUT_LEN)
    } else {
        (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN)
    };
    let mut salted = vec![0; length];
    pbkdf2::derive(algorithm, rounds, salt, password.as_bytes(), &mut salted);
    salted
}

fn readable(message: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(message).map_err(|_| "the broker's SCRAM message is no text".to_owned())
}

/// The value of `NAME=…` in a message.
fn field(message: &str, name: char) -> Option<&str> {
    message
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The conversation that RFC 7677 gives as its example.
    #[test]
    fn the_example_of_the_standard_is_spoken() {
        let credentials = Credentials {
            user: "user".to_owned(),
            password: "pencil".to_owned(),
        };
        let mut scram = Scram::with_nonce(false, &credentials, "rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(scram.first_message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.answer(challenge.as_bytes()).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(
            scram.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
            Ok(())
        );
        assert!(scram.verify(b"v=AAAA").is_err());
        assert_eq!(scram.verify(b"e=unknown-user"), Err("unknown-user".to_owned()));
    }

    #[test]
    fn a_challenge_for_somebody_else_is_refused() {
        let credentials = Credentials {
            user: "a=b,c".to_owned(),
            password: String::new(),
        };
        let mut scram = Scram::with_nonce(true, &credentials, "mine".to_owned());
        assert_eq!(scram.first_message(), "n,,n=a=3Db=2Cc,r=mine");
        for wrong in [
            "r=theirs,s=AAAA,i=4096",
            "r=mine,s=AAAA,i=4096",
            "r=mine1,s=AAAA,i=1",
            "",
            "r=mine1,i=4096",
        ] {
            assert!(scram.answer(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
