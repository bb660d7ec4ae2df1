//! Private keys and PKCS12 stores, opened by OpenSSL: what comes out is PEM without a password, for both clients alike.

use openssl::error::ErrorStack;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::pkey::{PKey, Private};
use openssl::provider::Provider;
use openssl::x509::{X509, X509Ref};
use std::ops::Deref;

/// A client's certificate, those of the authorities between it and the cluster's behind it, and its key; all in PEM.
pub(super) struct Identity {
    pub chain: String,
    pub key: String,
}

/// The certificates that a PKCS12 store trusts. Java trusts the store's own as well.
///
/// # Errors
/// When the password is wrong, or `None` where there is one.
pub(super) fn trusted(store: &[u8], password: Option<&str>) -> Result<String, String> {
    let opened = open(store, password, "ssl.truststore.password")?;
    pem(opened
        .cert
        .as_deref()
        .into_iter()
        .chain(opened.ca.iter().flatten()))
}

/// Who the client is, by a PKCS12 store.
///
/// # Errors
/// As [`trusted`]; or when the store holds no key.
pub(super) fn in_store(store: &[u8], password: Option<&str>) -> Result<Identity, String> {
    let opened = open(store, password, "ssl.keystore.password")?;
    let (Some(certificate), Some(key)) = (opened.cert.as_deref(), &opened.pkey) else {
        return Err("it holds no private key with its certificate".to_owned());
    };
    Ok(Identity {
        chain: pem(std::iter::once(certificate).chain(opened.ca.iter().flatten()))?,
        key: unlocked(key)?,
    })
}

/// The key in a text, PKCS#8 or one of the older kinds, opened with its password if it has one.
///
/// # Errors
/// When there is none, or the password is wrong, or `None` where there is one.
pub(super) fn key(text: &str, password: Option<&str>) -> Result<String, String> {
    let mut is_locked = false;
    let opened = PKey::private_key_from_pem_callback(text.as_bytes(), |room| {
        is_locked = true;
        let given = password.unwrap_or_default().as_bytes();
        let Some(room) = room.get_mut(..given.len()) else {
            return Err(ErrorStack::get());
        };
        room.copy_from_slice(given);
        Ok(given.len())
    });
    let why = match (&opened, is_locked, password) {
        (Ok(key), ..) => return unlocked(key),
        (_, true, None) => "the key has a password, and `ssl.key.password` is missing",
        (_, true, Some(_)) => "the key's password, `ssl.key.password`, is wrong",
        (_, false, _) => "it holds no private key in PEM",
    };
    Err(why.to_owned())
}

/// The certificates in a text, and nothing else of it.
///
/// # Errors
/// When there is none.
pub(super) fn chain(text: &str) -> Result<String, String> {
    match X509::stack_from_pem(text.as_bytes()) {
        Ok(found) if !found.is_empty() => pem(found.iter().map(Deref::deref)),
        _ => Err("it holds no certificate in PEM".to_owned()),
    }
}

fn open(store: &[u8], password: Option<&str>, property: &str) -> Result<ParsedPkcs12_2, String> {
    // What Java wrote before its version 16 is encrypted in ways that OpenSSL 3 keeps apart.
    let _legacy = Provider::try_load(None, "legacy", true);
    Pkcs12::from_der(store)
        .and_then(|store| store.parse2(password.unwrap_or_default()))
        .map_err(|_| match password {
            Some(_) => "its password is wrong, or it is not PKCS12 as OpenSSL reads it".to_owned(),
            None => format!("`{property}` is missing"),
        })
}

fn unlocked(key: &PKey<Private>) -> Result<String, String> {
    key.private_key_to_pem_pkcs8()
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .map_err(|_| "its private key is of a kind that OpenSSL cannot write".to_owned())
}

fn pem<'a>(certificates: impl IntoIterator<Item = &'a X509Ref>) -> Result<String, String> {
    let mut all = String::new();
    for certificate in certificates {
        let text = certificate
            .to_pem()
            .map_err(|_| "it holds a certificate that OpenSSL cannot write".to_owned())?;
        all.push_str(&String::from_utf8_lossy(&text));
    }
    Ok(all)
}
