//! How a user is named to the cluster: Java's `sasl.*` properties by librdkafka's names.

use super::jaas::{Login, wrong};
use crate::failure::{Failure, Outcome};
use crate::kafka::oauth::Source;
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

/// Java classes that get tokens; what they do is done here.
const TOKEN_HANDLERS: [&str; 2] = [
    "OAuthBearerLoginCallbackHandler",
    "OAuthBearerUnsecuredLoginCallbackHandler",
];
/// The ways to get a token that [`Source`] knows.
const TOKEN_RETRIEVERS: [&str; 3] = [
    "DefaultJwtRetriever",
    "ClientCredentialsJwtRetriever",
    "FileJwtRetriever",
];

/// Moves all that is about SASL from `given` to `settings`. Without SASL, Java does not look at it either.
///
/// # Errors
/// When a login module or a way to get tokens is Java's alone, or something is missing.
pub(super) fn translate(given: &mut Properties, settings: &mut Properties, sasl: bool) -> Outcome {
    if !sasl {
        given.retain(|name, _| !name.starts_with("sasl.") && name != "enable.sasl.oauthbearer.unsecure.jwt");
        return Ok(());
    }
    let mechanism = given
        .remove("sasl.mechanism")
        .or_else(|| given.remove("sasl.mechanisms"))
        .unwrap_or_else(|| "GSSAPI".to_owned());
    let login = given
        .remove("sasl.jaas.config")
        .map(|jaas| Login::parse(&jaas))
        .transpose()?;
    if mechanism == "OAUTHBEARER" {
        let source = token_source(login, given)?;
        settings.insert("sasl.oauthbearer.config".to_owned(), source.to_config());
    } else if let Some(login) = login {
        settings.extend(user(login)?);
    }
    refuse_java_classes(given)?;
    settings.insert("sasl.mechanisms".to_owned(), mechanism);
    Ok(())
}

/// User and password of a login module for PLAIN or SCRAM.
fn user(mut login: Login) -> Outcome<[(String, String); 2]> {
    if !["PlainLoginModule", "ScramLoginModule"].contains(&login.module.as_str()) {
        return Err(wrong(&format!(
            "`{}` has no equal outside Java; PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule have",
            login.module
        )));
    }
    if login
        .options
        .get("tokenauth")
        .is_some_and(|value| value == "true")
    {
        return Err(wrong("delegation tokens (tokenauth) cannot be used outside Java"));
    }
    let user = login.required("username")?;
    let password = login.required("password")?;
    Ok([
        ("sasl.username".to_owned(), user),
        ("sasl.password".to_owned(), password),
    ])
}

fn token_source(login: Option<Login>, given: &mut Properties) -> Outcome<Source> {
    let mut options = match login {
        Some(login) if login.module == "OAuthBearerLoginModule" => login.options,
        Some(login) => {
            return Err(wrong(&format!("`{}` is not for OAUTHBEARER", login.module)));
        }
        None => Properties::new(),
    };
    let handler = java_class(given, "sasl.login.callback.handler.class", &TOKEN_HANDLERS)?;
    java_class(given, "sasl.oauthbearer.jwt.retriever.class", &TOKEN_RETRIEVERS)?;
    refuse_other_grants(given)?;
    let method = given.remove("sasl.oauthbearer.method");
    given.remove("enable.sasl.oauthbearer.unsecure.jwt");
    let from_endpoint = given.contains_key("sasl.oauthbearer.token.endpoint.url")
        || method.is_some_and(|method| method.eq_ignore_ascii_case("oidc"))
        || handler.is_some_and(|handler| handler == TOKEN_HANDLERS[0]);
    if from_endpoint {
        return Source::endpoint(&mut options, given);
    }
    Source::unsecured(&mut options, given.remove("sasl.oauthbearer.config"))
}

/// librdkafka knows ways to get a token that are not known here, where the token is got for it.
fn refuse_other_grants(given: &Properties) -> Outcome {
    let other = given.keys().find(|name| {
        name.starts_with("sasl.oauthbearer.assertion.")
            || [
                "sasl.oauthbearer.grant.type",
                "sasl.oauthbearer.metadata.authentication.type",
            ]
            .contains(&name.as_str())
    });
    match other {
        Some(name) => Err(Failure::usage(format!("the setting `{name}` cannot be used"))
            .because("tokens come from client credentials, a file, or are unsigned")),
        None => Ok(()),
    }
}

/// The simple name of the Java class that `name` gives, if it is one of those known here.
pub(super) fn java_class(given: &mut Properties, name: &str, known: &[&str]) -> Outcome<Option<String>> {
    let Some(class) = given.remove(name) else {
        return Ok(None);
    };
    let simple = class.rsplit('.').next().unwrap_or_default();
    if known.contains(&simple) {
        return Ok(Some(simple.to_owned()));
    }
    Err(
        Failure::usage(format!("the setting `{name}` cannot be used")).because(format!(
            "only Java can load `{class}`; known here: {}",
            known.join(", ")
        )),
    )
}

/// Handlers of one's own decide how a login goes: leaving them out would log in another way than asked.
fn refuse_java_classes(given: &mut Properties) -> Outcome {
    for name in [
        "sasl.login.callback.handler.class",
        "sasl.client.callback.handler.class",
        "sasl.login.class",
    ] {
        java_class(given, name, &[])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{text, to_librdkafka};

    fn refused(text: &str) -> String {
        to_librdkafka(text::parse(text)).unwrap_err().to_string()
    }

    #[test]
    fn what_only_java_can_do_is_refused_by_name() {
        let sasl = "security.protocol=SASL_PLAINTEXT\n";
        for (text, told) in [
            (
                "sasl.mechanism=PLAIN\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;",
                "Krb5LoginModule",
            ),
            (
                "sasl.mechanism=PLAIN\nsasl.client.callback.handler.class=com.example.Vault",
                "com.example.Vault",
            ),
            (
                "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.jwt.retriever.class=x.JwtBearerJwtRetriever",
                "JwtBearerJwtRetriever",
            ),
            (
                "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.assertion.file=/a.jwt",
                "sasl.oauthbearer.assertion.file",
            ),
            (
                "sasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=x.ScramLoginModule required tokenauth=\"true\";",
                "delegation tokens",
            ),
        ] {
            let failure = refused(&format!("{sasl}{text}\n"));
            assert!(failure.contains(told), "{failure}");
        }
    }

    #[test]
    fn without_sasl_its_settings_do_nothing_as_in_java() {
        let settings =
            to_librdkafka(text::parse("sasl.mechanism=PLAIN\nsasl.jaas.config=nonsense\n")).unwrap();
        assert!(settings.is_empty());
    }
}
