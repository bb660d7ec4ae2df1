//! Users' SCRAM passwords: DescribeUserScramCredentials, AlterUserScramCredentials (KIP-554). The cluster gets a password
//! salted and hashed, never as it is.

use super::scram::salted;
use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};
use std::num::NonZeroU32;

/// `RESOURCE_NOT_FOUND`
const NOT_FOUND: i16 = 91;

/// How a user proves to know a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramMechanism {
    /// SHA-256.
    Sha256 = 1,
    /// SHA-512.
    Sha512 = 2,
}

impl ScramMechanism {
    /// Both of them.
    pub const ALL: [ScramMechanism; 2] = [ScramMechanism::Sha256, ScramMechanism::Sha512];

    /// `SCRAM-SHA-256`
    pub fn name(self) -> &'static str {
        match self {
            ScramMechanism::Sha256 => "SCRAM-SHA-256",
            ScramMechanism::Sha512 => "SCRAM-SHA-512",
        }
    }
}

/// A user, and the rounds of hashing of each mechanism that there is a password for.
pub type ScramUser = (String, Answer<Vec<(ScramMechanism, i32)>>);

/// A change of a user's password.
pub enum ScramChange {
    /// Give the user this one, hashed so many times.
    Set(ScramMechanism, NonZeroU32, String),
    /// Take it back.
    Delete(ScramMechanism),
}

impl Wire {
    /// The users that have passwords: among these, or all.
    ///
    /// # Errors
    /// When the cluster does not answer, refuses, or keeps no passwords.
    pub fn describe_scram_users(&mut self, users: &[String]) -> Answer<Vec<ScramUser>> {
        let named = users.iter().map(|name| UserName::default().with_name(text(name)));
        let named = (!users.is_empty()).then(|| named.collect());
        let request = DescribeUserScramCredentialsRequest::default().with_users(named);
        let answer = self.ask(To::Any, &request)?;
        check(answer.error_code, answer.error_message)?;
        let known = answer
            .results
            .into_iter()
            .filter(|user| user.error_code != NOT_FOUND);
        let users = known.map(|user| {
            let outcome = check(user.error_code, user.error_message).map(|()| {
                let infos = user.credential_infos.iter();
                infos
                    .filter_map(|info| {
                        let mechanism = ScramMechanism::ALL
                            .into_iter()
                            .find(|mechanism| *mechanism as i8 == info.mechanism)?;
                        Some((mechanism, info.iterations))
                    })
                    .collect()
            });
            (user.user.to_string(), outcome)
        });
        Ok(users.collect())
    }

    /// Changes a user's passwords.
    ///
    /// # Errors
    /// When it is refused.
    pub fn alter_scram_user(&mut self, user: &str, changes: &[ScramChange]) -> Answer {
        let mut deletions = Vec::new();
        let mut upsertions = Vec::new();
        for change in changes {
            match change {
                ScramChange::Delete(mechanism) => deletions.push(
                    ScramCredentialDeletion::default()
                        .with_name(text(user))
                        .with_mechanism(*mechanism as i8),
                ),
                ScramChange::Set(mechanism, rounds, password) => {
                    let salt = rand::random::<[u8; 24]>().to_vec();
                    let hashed = salted(*mechanism == ScramMechanism::Sha512, *rounds, &salt, password);
                    upsertions.push(
                        ScramCredentialUpsertion::default()
                            .with_name(text(user))
                            .with_mechanism(*mechanism as i8)
                            .with_iterations(i32::try_from(rounds.get()).unwrap_or(i32::MAX))
                            .with_salt(salt.into())
                            .with_salted_password(hashed.into()),
                    );
                }
            }
        }
        let request = AlterUserScramCredentialsRequest::default()
            .with_deletions(deletions)
            .with_upsertions(upsertions);
        let answer = self.ask(To::Controller, &request)?;
        answer
            .results
            .into_iter()
            .try_for_each(|result| check(result.error_code, result.error_message))
    }
}
