//! The value of `sasl.jaas.config`: `MODULE FLAG name="value" …;`, as Java's login modules are configured.

use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// One login module with its options. Options are secrets: this type has no `Debug`.
pub(super) struct Login {
    /// The class name without its package.
    pub(super) module: String,
    /// The options, by name.
    pub(super) options: BTreeMap<String, String>,
}

enum Token {
    Word(String),
    Equals,
    Semicolon,
}

impl Login {
    /// Reads a login module. The text is never quoted back: it holds passwords.
    ///
    /// # Errors
    /// When it is not of that form, or has more than one module.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let Some(Token::Word(class)) = tokens.next() else {
            return Err(wrong("it does not begin with the name of a login module"));
        };
        match tokens.next() {
            Some(Token::Word(flag)) if is_flag(&flag) => {}
            _ => return Err(wrong("the login module's name is not followed by `required`")),
        }
        let mut options = BTreeMap::new();
        loop {
            match (
                tokens.next(),
                tokens.next_if(|token| matches!(token, Token::Equals)),
            ) {
                (Some(Token::Semicolon), None) => break,
                (Some(Token::Word(name)), Some(_)) => match tokens.next() {
                    Some(Token::Word(value)) => options.insert(name, value),
                    _ => return Err(wrong(&format!("the option `{name}` has no value"))),
                },
                (None, _) => return Err(wrong("it does not end with a semicolon")),
                _ => return Err(wrong("an option is not of the form name=\"value\"")),
            };
        }
        if tokens.next().is_some() {
            return Err(wrong("it has more than one login module"));
        }
        let module = class.rsplit('.').next().unwrap_or_default().to_owned();
        Ok(Login { module, options })
    }

    /// Takes out an option that must be there.
    pub(super) fn required(&mut self, name: &str) -> Outcome<String> {
        self.options
            .remove(name)
            .ok_or_else(|| wrong(&format!("it has no {name}=\"…\"")))
    }
}

fn is_flag(word: &str) -> bool {
    ["required", "requisite", "sufficient", "optional"]
        .iter()
        .any(|flag| word.eq_ignore_ascii_case(flag))
}

/// The failure of a `sasl.jaas.config` that cannot be used.
pub(in crate::kafka) fn wrong(why: &str) -> Failure {
    Failure::usage("this `sasl.jaas.config` cannot be used").because(why).hint(
        "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"NAME\" \
         password=\"PASSWORD\";    (ScramLoginModule for SCRAM, OAuthBearerLoginModule for OAUTHBEARER)",
    )
}

fn tokens(text: &str) -> Outcome<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '=' => tokens.push(Token::Equals),
            ';' => tokens.push(Token::Semicolon),
            '"' | '\'' => tokens.push(Token::Word(quoted(&mut rest, character)?)),
            _ if character.is_whitespace() => {}
            _ => tokens.push(Token::Word(bare(character, &mut rest))),
        }
    }
    Ok(tokens)
}

fn bare(first: char, rest: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::from(first);
    while let Some(character) =
        rest.next_if(|next| !next.is_whitespace() && !matches!(next, '=' | ';' | '"' | '\''))
    {
        word.push(character);
    }
    word
}

fn quoted(rest: &mut Peekable<Chars<'_>>, quote: char) -> Outcome<String> {
    let mut word = String::new();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('n') => word.push('\n'),
                Some('t') => word.push('\t'),
                Some('r') => word.push('\r'),
                Some(other) => word.push(other),
                None => break,
            },
            _ if character == quote => return Ok(word),
            _ => word.push(character),
        }
    }
    Err(wrong("a quotation mark is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_and_its_options_are_read() {
        let login = Login::parse(
            "org.apache.kafka.common.security.scram.ScramLoginModule required\n username=\"alice\" \
             password = 'a;b=\\'c\\\\\"' tokenauth=true ;",
        )
        .unwrap();
        assert_eq!(login.module, "ScramLoginModule");
        assert_eq!(login.options["username"], "alice");
        assert_eq!(login.options["password"], "a;b='c\\\"");
        assert_eq!(login.options["tokenauth"], "true");
    }

    #[test]
    fn mistakes_are_told_without_the_password() {
        for text in [
            "",
            "PlainLoginModule username=\"u\" password=\"hunter2\";",
            "PlainLoginModule required username=\"u\" password=\"hunter2\"",
            "PlainLoginModule required username=\"u\" password=\"hunter2;",
            "PlainLoginModule required username \"hunter2\";",
            "PlainLoginModule required password=\"hunter2\"; PlainLoginModule required;",
        ] {
            let Err(failure) = Login::parse(text) else {
                panic!("{text} is accepted");
            };
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
