//! Java's `ssl.*` properties by librdkafka's names: which authorities are trusted, and who the client is. Every store
//! becomes PEM without a password here, so that a mistake is told before anything is tried, and both clients, librdkafka's
//! and that of `wire`, need to know no more.
//!
//! A store's kind is seen from its first bytes, since Java's own reader does not go by the file's name either: a `.jks`
//! made by a newer `keytool` holds PKCS12.

use super::keys::{self, Identity};
use super::login::java_class;
use super::{jks, pem};
use crate::bom;
use crate::failure::{Failure, Outcome};
use crate::kafka::oauth::Source;
use std::collections::BTreeMap;
use std::path::Path;

type Properties = BTreeMap<String, String>;

/// Where systems keep the authorities that they trust.
const OF_THE_SYSTEM: [&str; 8] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/local/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// A file of certificates or keys.
enum Store {
    Pem(String),
    Pkcs12(Vec<u8>),
    /// Java's own older format, or its twin JCEKS.
    Jks(Vec<u8>),
}

/// Moves all that is about TLS from `given` to `settings`. Without TLS, Java does not look at it either.
///
/// # Errors
/// When a store cannot be read or carried; the hint has the command that converts it.
pub(super) fn translate(given: &mut Properties, settings: &mut Properties, tls: bool) -> Outcome {
    trust_the_token_endpoint(given, settings)?;
    if !tls {
        given.retain(|name, _| !name.starts_with("ssl.") && name != "enable.ssl.certificate.verification");
        return Ok(());
    }
    check_versions(given)?;
    cipher_suites(given)?;
    java_class(given, "ssl.engine.factory.class", &["DefaultSslEngineFactory"])?;
    if let Some(algorithm) = given.get_mut("ssl.endpoint.identification.algorithm")
        && algorithm.is_empty()
    {
        *algorithm = "none".to_owned();
    }
    match trusted(given)? {
        Some(trusted) => {
            settings.insert("ssl.ca.pem".to_owned(), trusted);
        }
        None => trust_the_system(given),
    }
    if let Some(identity) = identity(given)? {
        settings.insert("ssl.certificate.pem".to_owned(), identity.chain);
        settings.insert("ssl.key.pem".to_owned(), identity.key);
    }
    Ok(())
}

/// HTTPS to a token endpoint trusts what `ssl.truststore.*` trusts, in Java as here, whatever the brokers speak.
fn trust_the_token_endpoint(given: &Properties, settings: &mut Properties) -> Outcome {
    let config = settings.get("sasl.oauthbearer.config");
    let Some(config) = config.filter(|config| config.contains("https:")) else {
        return Ok(());
    };
    let trusted = trusted(&mut given.clone())?;
    if let Some(config) = trusted.and_then(|pem| Source::trusting(config, &pem)) {
        settings.insert("sasl.oauthbearer.config".to_owned(), config);
    }
    Ok(())
}

/// OpenSSL agrees on the newest version that both sides have, and takes no limits from librdkafka.
fn check_versions(given: &mut Properties) -> Outcome {
    for name in ["ssl.protocol", "ssl.enabled.protocols"] {
        let Some(versions) = given.remove(name) else {
            continue;
        };
        let mut versions = versions.split(',').map(str::trim);
        let usual = if name == "ssl.protocol" {
            versions.all(|version| ["TLS", "TLSv1.2", "TLSv1.3"].contains(&version))
        } else {
            versions.any(|version| version == "TLSv1.2")
        };
        if !usual {
            return Err(Failure::usage(format!("the setting `{name}` cannot be used"))
                .because("outside Java the newest of TLS 1.2 and 1.3 that the cluster has is taken")
                .hint("leave it out, or ssl.enabled.protocols=TLSv1.2,TLSv1.3"));
        }
    }
    Ok(())
}

/// Java's names between commas, by OpenSSL's between colons. Only those of TLS 1.2 can be chosen among: those of 1.3 are
/// all good, and few.
fn cipher_suites(given: &mut Properties) -> Outcome {
    const NAME: &str = "ssl.cipher.suites";
    let Some(java) = given.remove(NAME).filter(|java| !java.is_empty()) else {
        return Ok(());
    };
    let of_openssl = |name: &str| match openssl::ssl::cipher_name(name) {
        "(NONE)" => name.to_owned(),
        known => known.to_owned(),
    };
    let of_1_2 = java
        .split(',')
        .map(str::trim)
        .filter(|name| !name.starts_with("TLS_AES_") && !name.starts_with("TLS_CHACHA20_"));
    let list = of_1_2.map(of_openssl).collect::<Vec<_>>().join(":");
    if list.is_empty() {
        return Err(Failure::usage(format!("the setting `{NAME}` cannot be used"))
            .because("outside Java the suites of TLS 1.3 cannot be chosen among, and it names no other")
            .hint("leave it out, or name suites of TLS 1.2 as well"));
    }
    given.insert(NAME.to_owned(), list);
    Ok(())
}

/// The certificates of the authorities to trust, in PEM; without any, those of the system are.
fn trusted(given: &mut Properties) -> Outcome<Option<String>> {
    let kind = given.remove("ssl.truststore.type");
    let password = given.remove("ssl.truststore.password");
    let location = given.remove("ssl.truststore.location");
    if let Some(certificates) = given.remove("ssl.truststore.certificates") {
        return Ok(Some(pem::lines(&certificates)));
    }
    let Some(location) = location else {
        return Ok(None);
    };
    let cannot = |why: String| {
        Failure::usage("this `ssl.truststore.location` cannot be used").because(why).hint(format!(
            "keytool -exportcert -rfc -alias CA -keystore {location} -file ca.pem, then ssl.truststore.location=ca.pem \
             and ssl.truststore.type=PEM    (keytool -list -keystore {location} shows the aliases)"
        ))
    };
    let certificates = match Store::open(&location, kind.as_deref()).map_err(cannot)? {
        Store::Pem(text) => text,
        Store::Jks(bytes) => pem::certificates(&jks::trusted(&bytes).map_err(cannot)?),
        Store::Pkcs12(bytes) => keys::trusted(&bytes, password.as_deref()).map_err(cannot)?,
    };
    if certificates.contains("-----BEGIN ") {
        Ok(Some(certificates))
    } else {
        Err(cannot(format!("{location} holds no trusted certificate")))
    }
}

/// Unless librdkafka's own names say whom to trust.
fn trust_the_system(given: &mut Properties) {
    let location = given.get("ssl.ca.location").map(String::as_str);
    if given.contains_key("ssl.ca.pem") || location.is_some_and(|location| location != "probe") {
        return;
    }
    if let Some(file) = OF_THE_SYSTEM.iter().find(|file| Path::new(file).is_file()) {
        given.insert("ssl.ca.location".to_owned(), (*file).to_owned());
    }
}

/// The client's own certificate and key, for brokers that ask for them (`ssl.client.auth`).
fn identity(given: &mut Properties) -> Outcome<Option<Identity>> {
    let kind = given.remove("ssl.keystore.type");
    let password = given.remove("ssl.keystore.password");
    let of_key = given.remove("ssl.key.password");
    let Some(location) = given.remove("ssl.keystore.location") else {
        return apart(given, of_key.as_deref());
    };
    let cannot = |why: String| unusable("ssl.keystore.location", why);
    let identity = match Store::open(&location, kind.as_deref()).map_err(cannot)? {
        Store::Pem(text) => keys::chain(&text).and_then(|chain| {
            let key = keys::key(&text, of_key.as_deref())?;
            Ok(Identity { chain, key })
        }),
        // In this format the keys have the store's own password.
        Store::Pkcs12(bytes) => keys::in_store(&bytes, password.or(of_key).as_deref()),
        Store::Jks(_) => {
            return Err(cannot("the private keys of a JKS store can be read by Java alone".to_owned()).hint(format!(
                "keytool -importkeystore -srckeystore {location} -destkeystore client.p12 -deststoretype PKCS12, then \
                 ssl.keystore.location=client.p12"
            )));
        }
    };
    identity.map(Some).map_err(cannot)
}

/// A certificate and a key that are given apart: by Java's names in the properties themselves, by librdkafka's also in files.
fn apart(given: &mut Properties, password: Option<&str>) -> Outcome<Option<Identity>> {
    let chain = pem_of(
        given,
        [
            "ssl.keystore.certificate.chain",
            "ssl.certificate.pem",
            "ssl.certificate.location",
        ],
    )?;
    let key = pem_of(given, ["ssl.keystore.key", "ssl.key.pem", "ssl.key.location"])?;
    match (chain, key) {
        (None, None) => Ok(None),
        (Some((chain_name, chain)), Some((key_name, key))) => Ok(Some(Identity {
            chain: keys::chain(&chain).map_err(|why| unusable(chain_name, why))?,
            key: keys::key(&key, password).map_err(|why| unusable(key_name, why))?,
        })),
        (Some((name, _)), None) | (None, Some((name, _))) => Err(unusable(
            name,
            "a certificate needs its key, and a key its certificate".to_owned(),
        )),
    }
}

/// The text that the first of these properties has or names, with the property's name.
fn pem_of<'a>(
    given: &mut Properties,
    [java, inline, file]: [&'a str; 3],
) -> Outcome<Option<(&'a str, String)>> {
    for name in [java, inline] {
        if let Some(text) = given.remove(name) {
            return Ok(Some((name, pem::lines(&text))));
        }
    }
    let Some(path) = given.remove(file) else {
        return Ok(None);
    };
    match bom::read_to_string(&path) {
        Ok(text) => Ok(Some((file, text))),
        Err(error) => Err(unusable(file, format!("cannot read {path}: {error}"))),
    }
}

fn unusable(name: &str, why: String) -> Failure {
    Failure::usage(format!("this `{name}` cannot be used")).because(why)
}

impl Store {
    fn open(location: &str, kind: Option<&str>) -> Result<Self, String> {
        let bytes = std::fs::read(location).map_err(|error| format!("cannot read {location}: {error}"))?;
        let pem_wanted = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("PEM"));
        let store = match bytes.first_chunk() {
            Some(&jks::MAGIC | &jks::JCEKS_MAGIC) => Store::Jks(bytes),
            Some([0x30, ..]) => Store::Pkcs12(bytes),
            _ => match String::from_utf8(bom::skip(&bytes).to_vec()) {
                Ok(text) if text.contains("-----BEGIN ") => Store::Pem(text),
                _ => return Err(format!("{location} is neither PEM nor PKCS12 nor JKS")),
            },
        };
        match store {
            Store::Jks(_) | Store::Pkcs12(_) if pem_wanted => {
                Err(format!("{location} is not PEM, as its type says"))
            }
            store => Ok(store),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{text, to_librdkafka};

    #[test]
    fn what_java_alone_can_do_is_refused_with_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("client.jks");
        std::fs::write(&store, [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0]).unwrap();
        let refused = |line: String| {
            to_librdkafka(text::parse(&format!("security.protocol=SSL\n{line}\n")))
                .unwrap_err()
                .to_string()
        };
        let failure = refused(format!(
            "ssl.keystore.password=hunter2\nssl.keystore.location={}",
            store.display()
        ));
        assert!(
            failure.contains("keytool -importkeystore") && !failure.contains("hunter2"),
            "{failure}"
        );
        let failure = refused(format!("ssl.truststore.location={}", store.display()));
        assert!(failure.contains("keytool -exportcert"), "{failure}");
        let failure = refused("ssl.truststore.location=/no/such/file".to_owned());
        assert!(failure.contains("/no/such/file"), "{failure}");
        assert!(refused("ssl.enabled.protocols=TLSv1.3".to_owned()).contains("ssl.enabled.protocols"));
    }

    #[test]
    fn cipher_suites_have_openssl_s_names() {
        let settings = |list: &str| {
            to_librdkafka(text::parse(&format!(
                "security.protocol=SSL\nssl.cipher.suites={list}\n"
            )))
        };
        let given = "TLS_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,HIGH:!aNULL";
        assert_eq!(
            settings(given).unwrap()["ssl.cipher.suites"],
            "ECDHE-RSA-AES128-GCM-SHA256:HIGH:!aNULL"
        );
        assert!(settings("TLS_AES_256_GCM_SHA384").is_err());
        assert!(!settings("").unwrap().contains_key("ssl.cipher.suites"));
    }

    #[test]
    fn pem_in_one_line_is_broken_into_lines() {
        let settings = to_librdkafka(text::parse(
            "security.protocol=SSL\nssl.truststore.type=PEM\nssl.endpoint.identification.algorithm=\n\
             ssl.truststore.certificates=-----BEGIN CERTIFICATE----- QUJD REVG -----END CERTIFICATE-----\n",
        ))
        .unwrap();
        assert_eq!(
            settings["ssl.ca.pem"],
            "-----BEGIN CERTIFICATE-----\nQUJDREVG\n-----END CERTIFICATE-----\n"
        );
        assert_eq!(settings["ssl.endpoint.identification.algorithm"], "none");
    }
}
