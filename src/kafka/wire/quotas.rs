//! Quotas of users, clients and addresses: DescribeClientQuotas, AlterClientQuotas (KIP-546).

use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};
use std::collections::BTreeMap;

/// Whom quotas hold for: names by types (`user`, `client-id`, `ip`); no name means the default of that type.
pub type QuotaEntity = BTreeMap<String, Option<String>>;
/// An entity with its quotas, as the cluster told them.
pub type Quotas = (QuotaEntity, Vec<(String, f64)>);

/// Which names of a type are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotaMatch {
    /// This one.
    Exactly(String),
    /// The default.
    Default,
    /// Each that has quotas.
    All,
}

impl Wire {
    /// The quotas of entities that have just these types.
    ///
    /// # Errors
    /// When the cluster does not answer, refuses, or has no quotas.
    pub fn describe_quotas(&mut self, wanted: &[(&str, QuotaMatch)]) -> Answer<Vec<Quotas>> {
        let component = |(kind, wanted): &(&str, QuotaMatch)| {
            let (match_type, name) = match wanted {
                QuotaMatch::Exactly(name) => (0, Some(text(name))),
                QuotaMatch::Default => (1, None),
                QuotaMatch::All => (2, None),
            };
            ComponentData::default()
                .with_entity_type(text(kind))
                .with_match_type(match_type)
                .with_match(name)
        };
        let request = DescribeClientQuotasRequest::default()
            .with_components(wanted.iter().map(component).collect())
            .with_strict(true);
        let answer = self.ask(To::Any, &request)?;
        check(answer.error_code, answer.error_message)?;
        let entries = answer.entries.unwrap_or_default().into_iter().map(|entry| {
            let entity = entry.entity.into_iter().map(|part| {
                let name = part.entity_name.map(|name| name.to_string());
                (part.entity_type.to_string(), name)
            });
            let values = entry.values.into_iter();
            (
                entity.collect(),
                values.map(|value| (value.key.to_string(), value.value)).collect(),
            )
        });
        Ok(entries.collect())
    }

    /// Sets quotas of one entity, or takes those back that have no value.
    ///
    /// # Errors
    /// When it is refused.
    pub fn alter_quotas(&mut self, entity: &QuotaEntity, changes: &[(String, Option<f64>)]) -> Answer {
        let parts = entity.iter().map(|(kind, name)| {
            EntityData::default()
                .with_entity_type(text(kind))
                .with_entity_name(name.as_deref().map(text))
        });
        let ops = changes.iter().map(|(key, value)| {
            OpData::default()
                .with_key(text(key))
                .with_value(value.unwrap_or_default())
                .with_remove(value.is_none())
        });
        let entry = EntryData::default()
            .with_entity(parts.collect())
            .with_ops(ops.collect());
        let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
        let answer = self.ask(To::Controller, &request)?;
        answer
            .entries
            .into_iter()
            .try_for_each(|entry| check(entry.error_code, entry.error_message))
    }
}
