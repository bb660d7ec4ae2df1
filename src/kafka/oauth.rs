//! Tokens for SASL/OAUTHBEARER: made here without a signature, as Java's default handler does, read from a file, or
//! fetched from an OAuth 2 token endpoint with client credentials (KIP-768).
//!
//! Where a token comes from travels inside librdkafka's `sasl.oauthbearer.config`, so that its callback, which is given
//! nothing else, finds it there.

use crate::failure::{Failure, Outcome};
use crate::kafka::properties::jaas_mistake;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

type Properties = BTreeMap<String, String>;

/// Java's `unsecuredLoginLifetimeSeconds` when it is not given.
const LIFETIME_S: f64 = 3600.0;
/// How long a token endpoint may take, and the connection to it, when `sasl.login.read.timeout.ms` and
/// `sasl.login.connect.timeout.ms` are not given.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any token takes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Where tokens come from. It holds secrets: no `Debug`.
#[derive(Serialize, Deserialize)]
pub(super) struct Source {
    kind: Kind,
    /// The claim that names the user.
    principal_claim: String,
    /// SASL extensions (KIP-342).
    extensions: Properties,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    /// Made here, without a signature.
    Unsecured {
        claims: Map<String, Value>,
        lifetime_s: f64,
    },
    /// The token endpoint's answer to client credentials.
    Endpoint(Endpoint),
    /// A file with a token in it.
    File(String),
}

#[derive(Serialize, Deserialize)]
struct Endpoint {
    url: String,
    id: String,
    secret: String,
    scope: Option<String>,
    url_encode: bool,
    connecting: Duration,
    patience: Duration,
    /// PEM of the authorities to trust; those of every browser when there is none.
    trusted: Option<String>,
}

/// A token with what librdkafka wants to know of it.
pub(super) struct Token {
    pub(super) value: String,
    /// When it expires, in ms since 1970-01-01 UTC.
    pub(super) expires_ms: i64,
    pub(super) principal: String,
    pub(super) extensions: Properties,
}

impl Source {
    /// Unsigned tokens, by the `unsecuredLogin…` options of Java's login module, or by librdkafka's
    /// `sasl.oauthbearer.config` (`principal=… scope=…`).
    pub(super) fn unsecured(options: &mut Properties, librdkafka: Option<String>) -> Outcome<Self> {
        if let Some(config) = librdkafka {
            options.extend(by_java_names(&config)?);
        }
        let mut take = |name: &str| options.remove(&format!("unsecuredLogin{name}"));
        let principal_claim = take("PrincipalClaimName").unwrap_or_else(|| "sub".to_owned());
        let scope_claim = take("ScopeClaimName").unwrap_or_else(|| "scope".to_owned());
        let lifetime_s = match take("LifetimeSeconds") {
            Some(text) => number("unsecuredLoginLifetimeSeconds", &text)?,
            None => LIFETIME_S,
        };
        let mut claims = Map::new();
        let mut extensions = Properties::new();
        for (name, value) in std::mem::take(options) {
            let Some((kind, what)) = name
                .strip_prefix("unsecuredLogin")
                .and_then(|rest| rest.split_once('_'))
            else {
                return Err(jaas_mistake(&format!("the option `{name}` is not known")));
            };
            match kind {
                "StringClaim" => claims.insert(what.to_owned(), Value::String(value)),
                "NumberClaim" => claims.insert(what.to_owned(), json!(number(&name, &value)?)),
                "ListClaim" => claims.insert(what.to_owned(), list(&value)),
                "Extension" => extensions.insert(what.to_owned(), value).map(Value::String),
                _ => return Err(jaas_mistake(&format!("the option `{name}` is not known"))),
            };
        }
        if !claims.contains_key(&principal_claim) {
            return Err(jaas_mistake(&format!(
                "it names no user: unsecuredLoginStringClaim_{principal_claim}=\"…\" is missing"
            )));
        }
        if scope_claim != "scope"
            && let Some(scope) = claims.remove("scope")
        {
            claims.entry(scope_claim).or_insert(scope);
        }
        Ok(Source {
            kind: Kind::Unsecured { claims, lifetime_s },
            principal_claim,
            extensions,
        })
    }

    /// Tokens of `sasl.oauthbearer.token.endpoint.url`, or of the file that a `file:` URL names; id, secret and scope by
    /// Java's properties of 4.1, the login module's options, or librdkafka's properties.
    pub(super) fn endpoint(options: &mut Properties, given: &mut Properties) -> Outcome<Self> {
        let mut property = |names: &[&str]| {
            let found: Vec<String> = names
                .iter()
                .filter_map(|name| given.remove(&format!("sasl.{name}")))
                .collect();
            found.into_iter().next()
        };
        let url = property(&["oauthbearer.token.endpoint.url"])
            .ok_or_else(|| missing("sasl.oauthbearer.token.endpoint.url"))?;
        let principal_claim = property(&["oauthbearer.sub.claim.name"]).unwrap_or_else(|| "sub".to_owned());
        let id = property(&[
            "oauthbearer.client.credentials.client.id",
            "oauthbearer.client.id",
        ])
        .or_else(|| options.remove("clientId"));
        let secret = property(&[
            "oauthbearer.client.credentials.client.secret",
            "oauthbearer.client.secret",
        ])
        .or_else(|| options.remove("clientSecret"));
        let scope = property(&["oauthbearer.scope"]).or_else(|| options.remove("scope"));
        let url_encode = property(&["oauthbearer.header.urlencode"]).is_some_and(|value| value == "true");
        let mut time = |name| {
            let given = property(&[name]).and_then(|value| value.parse().ok());
            given.map_or(PATIENCE, Duration::from_millis)
        };
        let (connecting, patience) = (time("login.connect.timeout.ms"), time("login.read.timeout.ms"));
        let mut extensions = of_librdkafka(&property(&["oauthbearer.extensions"]).unwrap_or_default());
        for (name, value) in std::mem::take(options) {
            match name.strip_prefix("extension_") {
                Some(extension) => extensions.insert(extension.to_owned(), value),
                None => return Err(jaas_mistake(&format!("the option `{name}` is not known"))),
            };
        }
        let kind = match url.strip_prefix("file:") {
            Some(path) => Kind::File(path.strip_prefix("//").unwrap_or(path).to_owned()),
            None => Kind::Endpoint(Endpoint {
                url,
                id: id.ok_or_else(|| missing("sasl.oauthbearer.client.credentials.client.id"))?,
                secret: secret.ok_or_else(|| missing("sasl.oauthbearer.client.credentials.client.secret"))?,
                scope,
                url_encode,
                connecting,
                patience,
                trusted: None,
            }),
        };
        Ok(Source {
            kind,
            principal_claim,
            extensions,
        })
    }

    /// The same, with the token endpoint trusted by these authorities, as Java trusts it by `ssl.truststore.*`.
    #[cfg(feature = "tls")]
    pub(super) fn trusting(config: &str, pem: &str) -> Option<String> {
        let mut source: Source = serde_json::from_str(config).ok()?;
        if let Kind::Endpoint(endpoint) = &mut source.kind {
            endpoint.trusted = Some(pem.to_owned());
        }
        Some(source.to_config())
    }

    /// As the value of librdkafka's `sasl.oauthbearer.config`.
    pub(super) fn to_config(&self) -> String {
        json!(self).to_string()
    }

    fn token(&self) -> Result<Token, String> {
        let value = match &self.kind {
            Kind::Unsecured { claims, lifetime_s } => unsigned(claims, *lifetime_s),
            Kind::Endpoint(endpoint) => endpoint.fetch()?,
            Kind::File(path) => crate::bom::read_to_string(path)
                .map_err(|error| format!("cannot read the token file {path}: {error}"))?
                .trim()
                .to_owned(),
        };
        let claims = claims(&value)?;
        let principal = match claims.get(&self.principal_claim) {
            Some(Value::String(principal)) => principal.clone(),
            Some(other) => other.to_string(),
            None => return Err(format!("the token has no claim `{}`", self.principal_claim)),
        };
        let expires_s = claims
            .get("exp")
            .and_then(Value::as_f64)
            .ok_or("the token has no claim `exp`")?;
        if expires_s <= now_s() {
            return Err("the token has expired".to_owned());
        }
        Ok(Token {
            value,
            #[allow(clippy::cast_possible_truncation)]
            expires_ms: (expires_s * 1000.0) as i64,
            principal,
            extensions: self.extensions.clone(),
        })
    }
}

/// A new token from the source that `sasl.oauthbearer.config` describes.
///
/// # Errors
/// What a user should read: the endpoint's refusal, or what is wrong with the token.
pub(super) fn token(config: Option<&str>) -> Result<Token, String> {
    config
        .and_then(|config| serde_json::from_str::<Source>(config).ok())
        .ok_or("sasl.jaas.config names no way to get a token")?
        .token()
}

/// The same for clients that `rdkafka` makes.
///
/// # Errors
/// As [`token`]; `rdkafka` cannot carry SASL extensions.
pub(super) fn for_rdkafka(
    config: Option<&str>,
) -> Result<rdkafka::client::OAuthToken, Box<dyn std::error::Error>> {
    let token = token(config)?;
    if !token.extensions.is_empty() {
        return Err("SASL extensions cannot be used by this command".into());
    }
    Ok(rdkafka::client::OAuthToken {
        token: token.value,
        principal_name: token.principal,
        lifetime_ms: token.expires_ms,
    })
}

/// Has a context of `rdkafka`'s clients answer [`for_rdkafka`] when a token is wanted.
macro_rules! refreshes_tokens {
    ($context:ty) => {
        impl rdkafka::client::ClientContext for $context {
            const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

            fn generate_oauth_token(
                &self,
                config: Option<&str>,
            ) -> Result<rdkafka::client::OAuthToken, Box<dyn std::error::Error>> {
                $crate::kafka::oauth::for_rdkafka(config)
            }
        }
    };
}

pub(super) use refreshes_tokens;

impl Endpoint {
    fn fetch(&self) -> Result<String, String> {
        let encoded = |text: &str| {
            if self.url_encode {
                form(text)
            } else {
                text.to_owned()
            }
        };
        let credentials = STANDARD.encode(format!("{}:{}", encoded(&self.id), encoded(&self.secret)));
        let mut body = "grant_type=client_credentials".to_owned();
        if let Some(scope) = &self.scope {
            body.push_str("&scope=");
            body.push_str(&form(scope));
        }
        let mut answer = self
            .agent()?
            .post(&self.url)
            .header("Authorization", format!("Basic {credentials}"))
            .header("Accept", "application/json")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .send(body)
            .map_err(|error| format!("the token endpoint {} cannot be asked: {error}", self.url))?;
        let status = answer.status();
        let text = answer
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER)
            .read_to_string()
            .map_err(|error| format!("the token endpoint's answer cannot be read: {error}"))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        if !status.is_success() {
            let why = word("error_description")
                .or_else(|| word("error"))
                .unwrap_or_default();
            return Err(format!("the token endpoint {} answers {status} {why}", self.url)
                .trim_end()
                .to_owned());
        }
        word("access_token")
            .ok_or_else(|| format!("the token endpoint {} answers without access_token", self.url))
    }

    fn agent(&self) -> Result<ureq::Agent, String> {
        let mut config = ureq::Agent::config_builder()
            .timeout_connect(Some(self.connecting))
            .timeout_global(Some(self.patience))
            .http_status_as_error(false);
        if let Some(pem) = &self.trusted {
            let trusted: Vec<Certificate<'static>> = ureq::tls::parse_pem(pem.as_bytes())
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            let roots = RootCerts::Specific(Arc::new(trusted));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(config.build().into())
    }
}

/// In whole milliseconds, as Java counts: a broker rounds, and refuses a token that was made half a millisecond from now.
fn now_s() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    (now.unwrap_or_default().as_secs_f64() * 1000.0).floor() / 1000.0
}

/// A JSON Web Token whose header says that nobody signed it.
fn unsigned(claims: &Map<String, Value>, lifetime_s: f64) -> String {
    let now = now_s();
    let mut claims = claims.clone();
    claims.entry("iat").or_insert(json!(now));
    claims.entry("exp").or_insert(json!(now + lifetime_s));
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.",
        part(r#"{"alg":"none"}"#),
        part(&Value::Object(claims).to_string())
    )
}

/// The claims of a token; its signature is the cluster's business.
fn claims(token: &str) -> Result<Map<String, Value>, String> {
    let payload = token.split('.').nth(1).ok_or("the token is no JSON Web Token")?;
    let payload = URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .map_err(|_| "the token's claims are not in base64url")?;
    serde_json::from_slice(&payload).map_err(|_| "the token's claims are no JSON object".to_owned())
}

/// librdkafka's `principal=alice scope=a,b` by Java's option names.
fn by_java_names(config: &str) -> Outcome<Properties> {
    let mut words = of_words(config, ' ');
    let mut java = Properties::new();
    let claim = words
        .remove("principalClaimName")
        .unwrap_or_else(|| "sub".to_owned());
    if let Some(principal) = words.remove("principal") {
        java.insert(format!("unsecuredLoginStringClaim_{claim}"), principal);
    }
    java.insert("unsecuredLoginPrincipalClaimName".to_owned(), claim);
    for (name, value) in words {
        let (name, value) = match name.as_str() {
            "scope" => ("ListClaim_scope".to_owned(), format!(",{value}")),
            "scopeClaimName" => ("ScopeClaimName".to_owned(), value),
            "lifeSeconds" => ("LifetimeSeconds".to_owned(), value),
            other => match other.strip_prefix("extension_") {
                Some(extension) => (format!("Extension_{extension}"), value),
                None => {
                    return Err(Failure::usage("this `sasl.oauthbearer.config` cannot be used")
                        .because(format!("`{other}` is not known")));
                }
            },
        };
        java.insert(format!("unsecuredLogin{name}"), value);
    }
    Ok(java)
}

/// librdkafka's `sasl.oauthbearer.extensions`: `name=value,…`.
fn of_librdkafka(extensions: &str) -> Properties {
    of_words(extensions, ',')
}

fn of_words(text: &str, separator: char) -> Properties {
    let pairs = text
        .split(separator)
        .filter_map(|word| word.trim().split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn number(name: &str, text: &str) -> Outcome<f64> {
    text.parse()
        .map_err(|_| jaas_mistake(&format!("`{name}` is no number")))
}

/// Java's list claims: the first character separates the rest.
fn list(text: &str) -> Value {
    let mut characters = text.chars();
    let Some(separator) = characters.next() else {
        return json!([]);
    };
    characters.as_str().split(separator).collect()
}

/// Percent-encoding of a form's value.
fn form(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                encoded.push(char::from(byte))
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn missing(name: &str) -> Failure {
    Failure::usage("no token can be fetched").because(format!("`{name}` is not given"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Properties {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_unsigned_token_has_the_claims_that_java_would_give_it() {
        let mut given = options(&[
            ("unsecuredLoginStringClaim_sub", "alice"),
            ("unsecuredLoginNumberClaim_level", "3"),
            ("unsecuredLoginListClaim_scope", "|a|b"),
            ("unsecuredLoginScopeClaimName", "scp"),
            ("unsecuredLoginExtension_cluster", "one"),
        ]);
        let source = Source::unsecured(&mut given, None).unwrap();
        let token = token(Some(&source.to_config())).unwrap();
        let claims = claims(&token.value).unwrap();
        assert_eq!(token.principal, "alice");
        assert_eq!(claims["level"], json!(3.0));
        assert_eq!(claims["scp"], json!(["a", "b"]));
        assert_eq!(token.extensions, options(&[("cluster", "one")]));
        assert!(token.value.ends_with('.'));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let made_ms = claims["iat"].as_f64().unwrap() * 1000.0;
        assert!((made_ms - made_ms.round()).abs() < 0.01, "{made_ms}");
        assert!(token.expires_ms.abs_diff(i64::try_from(now).unwrap() + 3_600_000) < 60_000);
    }

    #[test]
    fn librdkafkas_words_for_an_unsigned_token_are_understood() {
        let config = "principalClaimName=azp principal=bob scope=x,y lifeSeconds=60".to_owned();
        let source = Source::unsecured(&mut Properties::new(), Some(config)).unwrap();
        let token = source.token().unwrap();
        assert_eq!(token.principal, "bob");
        assert_eq!(claims(&token.value).unwrap()["scope"], json!(["x", "y"]));
    }

    #[test]
    fn an_endpoint_needs_its_credentials_and_a_file_does_not() {
        let url = "sasl.oauthbearer.token.endpoint.url";
        let mut given = options(&[(url, "https://sso.example/token")]);
        let failure = Source::endpoint(&mut Properties::new(), &mut given)
            .err()
            .unwrap();
        assert!(failure.to_string().contains("client.id"), "{failure}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let claims = Map::from_iter([("sub".to_owned(), json!("carol"))]);
        std::fs::write(file.path(), unsigned(&claims, 60.0)).unwrap();
        let mut given = options(&[(url, &format!("file://{}", file.path().display()))]);
        let source = Source::endpoint(&mut Properties::new(), &mut given).unwrap();
        assert_eq!(source.token().unwrap().principal, "carol");
    }
}
