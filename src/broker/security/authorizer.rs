//! The one place that says who may do what.

use super::{Ask, ResourceType, Session};
use kafka_protocol::ResponseError;

/// Says that nobody asked for the operations.
const NOT_TOLD: i32 = i32::MIN;

/// Says who may do what. There are no access rights yet, so it is as in Apache Kafka without `authorizer.class.name`:
/// everybody may do everything that can be done.
#[derive(Debug, Clone, Default)]
pub enum Authorizer {
    /// Everybody may do everything.
    #[default]
    Everybody,
    /// Everybody may do everything but these.
    #[cfg(test)]
    AllBut(Vec<Ask>),
}

impl Authorizer {
    /// Whether somebody may do that with the cluster, or with at least one resource of that type.
    pub fn allows(&self, _who: &Session, _ask: Ask) -> bool {
        match self {
            Authorizer::Everybody => true,
            #[cfg(test)]
            Authorizer::AllBut(refused) => !refused.contains(&_ask),
        }
    }

    /// Checks a request before anything is done: one of what its API asks for must be allowed. Of which resources it is, is
    /// looked at where they are known.
    ///
    /// # Errors
    /// The refusal of the first that it asks for.
    pub fn check(&self, who: &Session, asks: &[Ask]) -> Result<(), ResponseError> {
        match asks {
            [] => Ok(()),
            asks if asks.iter().any(|ask| self.allows(who, *ask)) => Ok(()),
            [first, ..] => Err(first.on.refusal()),
        }
    }

    /// What somebody may do with a resource of that type (KIP-430): a bit for each operation, by Kafka's numbers. Not told
    /// where nobody asked for it.
    pub fn operations(&self, who: &Session, on: ResourceType, asked: bool) -> i32 {
        if !asked {
            return NOT_TOLD;
        }
        let operations = on.operations().iter().copied();
        let allowed = operations.filter(|operation| {
            let operation = *operation;
            self.allows(who, Ask { operation, on })
        });
        allowed.fold(0, |bits, operation| bits | 1 << operation as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Operation, Principal, SecurityProtocol};
    use super::*;
    use crate::broker::config::ListenerKind;

    const ALTER: Ask = Ask {
        operation: Operation::Alter,
        on: ResourceType::Cluster,
    };
    const READ: Ask = Ask {
        operation: Operation::Read,
        on: ResourceType::Topic,
    };

    fn somebody() -> Session {
        let protocol = SecurityProtocol::Plaintext;
        let peer = ([127, 0, 0, 1], 1).into();
        let session = Session::new(peer, 1, ListenerKind::Broker, "PLAINTEXT".into(), protocol);
        assert_eq!(*session.principal(), Principal::anonymous());
        session
    }

    #[test]
    fn without_access_rights_everybody_may_do_all_that_kafka_tells() {
        let (who, everybody) = (somebody(), Authorizer::default());
        assert_eq!(everybody.check(&who, &[ALTER]), Ok(()));
        // As Apache Kafka 4.4 answers without an authorizer.
        let told = [
            (ResourceType::Topic, 3576),
            (ResourceType::Group, 3400),
            (ResourceType::Cluster, 8096),
        ];
        for (on, bits) in told {
            assert_eq!(everybody.operations(&who, on, true), bits, "{on:?}");
            assert_eq!(everybody.operations(&who, on, false), i32::MIN);
        }
    }

    #[test]
    fn who_may_do_nothing_of_what_is_asked_for_is_refused() {
        let (who, denies) = (somebody(), Authorizer::AllBut(vec![ALTER]));
        assert_eq!(
            denies.check(&who, &[ALTER]),
            Err(ResponseError::ClusterAuthorizationFailed)
        );
        assert_eq!(denies.check(&who, &[ALTER, READ]), Ok(()));
        assert_eq!(denies.check(&who, &[]), Ok(()));
        let told = denies.operations(&who, ResourceType::Cluster, true);
        assert_eq!(told, 8096 & !(1 << 7));
    }
}
