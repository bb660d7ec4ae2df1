//! Java's `ssl.*` properties by librdkafka's names: which authorities are trusted, and who the client is.
//!
//! A store's kind is seen from its first bytes, since Java's own reader does not go by the file's name either: a `.jks`
//! made by a newer `keytool` holds PKCS12.

use super::{jks, pem};
use crate::failure::{Failure, Outcome};
use crate::kafka::oauth::Source;
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

/// A file of certificates or keys.
enum Store {
    Pem(String),
    Pkcs12(Vec<u8>),
    /// Java's own older format, or its twin JCEKS.
    Jks(Vec<u8>),
}

/// Moves all that is about TLS from `given` to `settings`. Without TLS, Java does not look at it either, and a build
/// without the feature `tls` refuses TLS as a whole.
///
/// # Errors
/// When a store cannot be read or carried; the hint has the command that converts it.
pub(super) fn translate(given: &mut Properties, settings: &mut Properties, tls: bool) -> Outcome {
    if !tls || !cfg!(feature = "tls") {
        trust_the_token_endpoint(given, settings)?;
        given.retain(|name, _| !name.starts_with("ssl.") && name != "enable.ssl.certificate.verification");
        return Ok(());
    }
    check_versions(given)?;
    if let Some(algorithm) = given.get_mut("ssl.endpoint.identification.algorithm")
        && algorithm.is_empty()
    {
        *algorithm = "none".to_owned();
    }
    trust_the_token_endpoint(given, settings)?;
    if let Some(trusted) = trusted(given)? {
        settings.insert("ssl.ca.pem".to_owned(), trusted);
    }
    identity(given, settings)
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
        Store::Pkcs12(bytes) => pkcs12_certificates(&bytes, password.as_deref()).map_err(cannot)?,
    };
    if certificates.contains("-----BEGIN ") {
        Ok(Some(certificates))
    } else {
        Err(cannot(format!("{location} holds no trusted certificate")))
    }
}

/// The client's own certificate and key, for brokers that ask for them (`ssl.client.auth`).
fn identity(given: &mut Properties, settings: &mut Properties) -> Outcome {
    let kind = given.remove("ssl.keystore.type");
    if let Some(key) = given.remove("ssl.keystore.key") {
        settings.insert("ssl.key.pem".to_owned(), pem::lines(&key));
    }
    if let Some(chain) = given.remove("ssl.keystore.certificate.chain") {
        settings.insert("ssl.certificate.pem".to_owned(), pem::lines(&chain));
    }
    let Some(location) = given.remove("ssl.keystore.location") else {
        return Ok(());
    };
    let cannot = |why: String| Failure::usage("this `ssl.keystore.location` cannot be used").because(why);
    match Store::open(&location, kind.as_deref()).map_err(cannot)? {
        Store::Pem(_) => {
            settings.insert("ssl.certificate.location".to_owned(), location.clone());
            settings.insert("ssl.key.location".to_owned(), location);
        }
        Store::Pkcs12(bytes) => {
            // In this format the keys have the store's own password.
            let own = given.remove("ssl.key.password");
            if let (false, Some(password)) = (given.contains_key("ssl.keystore.password"), own) {
                given.insert("ssl.keystore.password".to_owned(), password);
            }
            let Some(password) = given.get("ssl.keystore.password") else {
                return Err(cannot("`ssl.keystore.password` is missing".to_owned()));
            };
            pkcs12_certificates(&bytes, Some(password)).map_err(cannot)?;
            settings.insert("ssl.keystore.location".to_owned(), location);
        }
        Store::Jks(_) => {
            return Err(cannot("the private keys of a JKS store can be read by Java alone".to_owned()).hint(format!(
                "keytool -importkeystore -srckeystore {location} -destkeystore client.p12 -deststoretype PKCS12, then \
                 ssl.keystore.location=client.p12"
            )));
        }
    }
    Ok(())
}

impl Store {
    fn open(location: &str, kind: Option<&str>) -> Result<Self, String> {
        let bytes = std::fs::read(location).map_err(|error| format!("cannot read {location}: {error}"))?;
        let pem_wanted = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("PEM"));
        let store = match bytes.first_chunk() {
            Some(&jks::MAGIC | &jks::JCEKS_MAGIC) => Store::Jks(bytes),
            Some([0x30, ..]) => Store::Pkcs12(bytes),
            _ => match String::from_utf8(bytes) {
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

#[cfg(feature = "tls")]
fn pkcs12_certificates(bytes: &[u8], password: Option<&str>) -> Result<String, String> {
    let opened = openssl::pkcs12::Pkcs12::from_der(bytes)
        .and_then(|store| store.parse2(password.unwrap_or_default()))
        .map_err(|_| match password {
            Some(_) => "its password is wrong, or it is not PKCS12 as OpenSSL 3 reads it".to_owned(),
            None => "`ssl.truststore.password` is missing".to_owned(),
        })?;
    let mut certificates = String::new();
    for certificate in opened.ca.iter().flatten() {
        let text = certificate.to_pem().map_err(|error| error.to_string())?;
        certificates.push_str(&String::from_utf8_lossy(&text));
    }
    Ok(certificates)
}

#[cfg(not(feature = "tls"))]
fn pkcs12_certificates(_bytes: &[u8], _password: Option<&str>) -> Result<String, String> {
    Err("this velo was built without TLS (cargo install velodrome --features tls)".to_owned())
}

#[cfg(all(test, feature = "tls"))]
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
