//! TLS towards a broker, by the OpenSSL that librdkafka speaks it with: both clients trust and refuse alike, and say so in
//! the same words.

use crate::failure::{Failure, Outcome};
use crate::kafka::certificate;
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Error, HandshakeError, Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode,
    SslVersion,
};
use openssl::x509::X509;
use openssl::x509::verify::X509VerifyFlags;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, OnceLock};

type Settings = BTreeMap<String, String>;

/// How TLS connections are made.
pub(super) struct Tls {
    context: SslContext,
    trusts: SslVerifyMode,
    /// Whether the broker's certificate must be for the name that it is reached by.
    named: bool,
}

impl Tls {
    /// What `settings` ask for.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub fn of(settings: &Settings) -> Outcome<Self> {
        let is = |name: &str, value: &str| {
            let given = settings.get(name);
            given.is_some_and(|given| given.eq_ignore_ascii_case(value))
        };
        let anybody = |no| is("enable.ssl.certificate.verification", no);
        let trusts = if ["false", "f", "0"].into_iter().any(anybody) {
            SslVerifyMode::NONE
        } else {
            SslVerifyMode::PEER
        };
        let mut context = SslContext::builder(SslMethod::tls_client())
            .map_err(|error| unusable("security.protocol", &error))?;
        let parts = [
            ("security.protocol", limits as Part),
            ("ssl.cipher.suites", |context, list| context.set_cipher_list(list)),
            ("ssl.curves.list", |context, list| context.set_groups_list(list)),
            ("ssl.sigalgs.list", |context, list| context.set_sigalgs_list(list)),
            ("ssl.ca.location", authorities_at),
            ("ssl.ca.pem", authorities),
            ("ssl.crl.location", revoked),
            ("ssl.certificate.pem", certificates),
            ("ssl.key.pem", key),
        ];
        for (name, part) in parts {
            if let Some(value) = settings.get(name) {
                part(&mut context, value).map_err(|error| unusable(name, &error))?;
            }
        }
        Ok(Tls {
            context: context.build(),
            trusts,
            named: !is("ssl.endpoint.identification.algorithm", "none"),
        })
    }

    /// Speaks TLS on `socket` to the broker named `host`.
    pub fn wrap(&self, host: &str, socket: TcpStream) -> Answer<SslStream<TcpStream>> {
        let refusal = Arc::<OnceLock<String>>::default();
        let ssl = self
            .prepared(host, refusal.clone())
            .map_err(|error| failed(&reason(&error)))?;
        ssl.connect(socket).map_err(|error| match (refusal.get(), error) {
            (Some(why), _) => failed(why),
            (None, HandshakeError::SetupFailure(error)) => failed(&reason(&error)),
            (None, HandshakeError::Failure(made)) => told(made.error()),
            (None, HandshakeError::WouldBlock(_)) => KafkaError::new(ErrorCode::OperationTimedOut, ""),
        })
    }

    /// A connection that leaves in `refusal` why the broker's certificate is not accepted.
    fn prepared(&self, host: &str, refusal: Arc<OnceLock<String>>) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        let address = host.parse::<IpAddr>();
        if address.is_err() {
            ssl.set_hostname(host)?;
        }
        match address {
            _ if !self.named => {}
            Ok(address) => ssl.param_mut().set_ip(address)?,
            Err(_) => ssl.param_mut().set_host(host)?,
        }
        ssl.set_verify_callback(self.trusts, move |accepted, context| {
            if !accepted {
                refusal.get_or_init(|| certificate::refusal(context.error(), context.current_cert()));
            }
            accepted
        });
        Ok(ssl)
    }
}

/// What one setting changes.
type Part = fn(&mut SslContextBuilder, &str) -> Result<(), ErrorStack>;

fn limits(context: &mut SslContextBuilder, _protocol: &str) -> Result<(), ErrorStack> {
    context.set_min_proto_version(Some(SslVersion::TLS1_2))
}

fn authorities_at(context: &mut SslContextBuilder, path: &str) -> Result<(), ErrorStack> {
    match Path::new(path) {
        folder if folder.is_dir() => context.load_verify_locations(None, Some(folder)),
        file => context.load_verify_locations(Some(file), None),
    }
}

fn authorities(context: &mut SslContextBuilder, pem: &str) -> Result<(), ErrorStack> {
    X509::stack_from_pem(pem.as_bytes())?
        .into_iter()
        .try_for_each(|authority| context.cert_store_mut().add_cert(authority))
}

fn revoked(context: &mut SslContextBuilder, path: &str) -> Result<(), ErrorStack> {
    authorities_at(context, path)?;
    context.cert_store_mut().set_flags(X509VerifyFlags::CRL_CHECK)
}

fn certificates(context: &mut SslContextBuilder, pem: &str) -> Result<(), ErrorStack> {
    let mut chain = X509::stack_from_pem(pem.as_bytes())?.into_iter();
    if let Some(own) = chain.next() {
        context.set_certificate(&own)?;
    }
    chain.try_for_each(|authority| context.add_extra_chain_cert(authority))
}

fn key(context: &mut SslContextBuilder, pem: &str) -> Result<(), ErrorStack> {
    context.set_private_key(PKey::private_key_from_pem(pem.as_bytes())?.as_ref())?;
    context.check_private_key()
}

/// What went wrong in a handshake, or behind it: a broker looks at a client's certificate when the client is done.
fn told(error: &Error) -> KafkaError {
    match (error.io_error(), error.ssl_error()) {
        (_, Some(stack)) => failed(&reason(stack)),
        (Some(error), None) if error.kind() != ErrorKind::ConnectionReset => {
            KafkaError::new(ErrorCode::BrokerTransportFailure, error.to_string())
        }
        // A broker that expects plain text hangs up on the first bytes of a handshake.
        _ => failed("PLAINTEXT broker listener"),
    }
}

fn failed(why: &str) -> KafkaError {
    KafkaError::new(
        ErrorCode::SSL,
        format!("{}: {why}", crate::kafka::denial::HANDSHAKE),
    )
}

/// OpenSSL's words for its last error, without the places in its source.
fn reason(stack: &ErrorStack) -> String {
    let last = stack.errors().last();
    let words = last.and_then(openssl::error::Error::reason);
    words.unwrap_or("OpenSSL does not say why").to_owned()
}

fn unusable(name: &str, error: &ErrorStack) -> Failure {
    Failure::usage(format!("the setting `{name}` cannot be used")).because(reason(error))
}
