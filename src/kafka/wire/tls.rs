//! TLS towards a broker, with PEM files as librdkafka's properties name them.

use super::channel::failed;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Arc;

/// How TLS connections are made.
pub(super) struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// What `settings` ask for. Without `ssl.ca.location` or `ssl.ca.pem` the public authorities are trusted.
    ///
    /// # Errors
    /// When a file cannot be read or holds nothing of its kind.
    pub fn of(settings: &BTreeMap<String, String>) -> Outcome<Self> {
        let mut roots = RootCertStore::empty();
        match pem(settings, "ssl.ca")? {
            Some((name, text)) => {
                for certificate in certificates(name, &text)? {
                    roots.add(certificate).map_err(|error| unusable(name, error))?;
                }
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let named = settings
            .get("ssl.endpoint.identification.algorithm")
            .is_none_or(|algorithm| algorithm != "none");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| unusable("ssl.ca.location", error))?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("security.protocol", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { verifier, named }));
        let config = match (pem(settings, "ssl.certificate")?, pem(settings, "ssl.key")?) {
            (Some((name, chain)), Some((key_name, key))) => builder
                .with_client_auth_cert(certificates(name, &chain)?, private_key(key_name, &key)?)
                .map_err(|error| unusable(name, error))?,
            (None, None) => builder.with_no_client_auth(),
            (Some((name, _)), None) | (None, Some((name, _))) => {
                return Err(Failure::usage(format!("the setting `{name}` cannot be used"))
                    .because("a client's certificate needs its key, and a key its certificate"));
            }
        };
        Ok(Tls {
            config: Arc::new(config),
        })
    }

    /// Speaks TLS on `socket` to the broker named `host`.
    pub fn wrap(
        &self,
        host: &str,
        mut socket: TcpStream,
    ) -> Answer<StreamOwned<ClientConnection, TcpStream>> {
        let refused = |error: Error| KafkaError::new(ErrorCode::SSL, format!("{host}: {error}"));
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| KafkaError::new(ErrorCode::SSL, format!("{host}: {error}")))?;
        let mut tls = ClientConnection::new(self.config.clone(), name).map_err(refused)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)
                .map_err(|error| failed(host, &error))?;
        }
        Ok(StreamOwned::new(tls, socket))
    }
}

/// The usual checks; with `ssl.endpoint.identification.algorithm=none` any name is accepted, but no other fault.
#[derive(Debug)]
struct Verifier {
    verifier: Arc<WebPkiServerVerifier>,
    named: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .verifier
            .verify_server_cert(certificate, chain, name, ocsp, now);
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.named => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// The text of `NAME.pem`, or of the file that `NAME.location` names.
fn pem(settings: &BTreeMap<String, String>, start: &str) -> Outcome<Option<(&'static str, Vec<u8>)>> {
    let (in_line, in_file) = match start {
        "ssl.ca" => ("ssl.ca.pem", "ssl.ca.location"),
        "ssl.certificate" => ("ssl.certificate.pem", "ssl.certificate.location"),
        _ => ("ssl.key.pem", "ssl.key.location"),
    };
    if let Some(text) = settings.get(in_line) {
        // In a property file, the lines are told apart by `\n`.
        return Ok(Some((in_line, text.replace("\\n", "\n").into_bytes())));
    }
    let Some(path) = settings.get(in_file) else {
        return Ok(None);
    };
    let text = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("cannot read {path} of `{in_file}`")).because(error))?;
    Ok(Some((in_file, text)))
}

fn certificates(name: &str, text: &[u8]) -> Outcome<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(name, "it holds no certificate in PEM")),
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(name, error)),
    }
}

fn private_key(name: &str, text: &[u8]) -> Outcome<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(text)
        .map_err(|error| unusable(name, error).hint("the key must be in PEM and without a password"))
}

fn unusable(name: &str, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("the setting `{name}` cannot be used")).because(why)
}
