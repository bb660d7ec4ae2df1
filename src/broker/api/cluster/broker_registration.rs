//! BrokerRegistration: a broker joins the cluster (KIP-500).

use crate::broker::api::parts::LocalController;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::connections::Connections;
use crate::broker::controller::Registration;
use crate::broker::records::metadata::{EndPoint, FeatureRange};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{BrokerRegistrationRequest, BrokerRegistrationResponse};

/// The first version in which a broker tells how it stopped (KIP-966).
const TELLS_PREVIOUS_EPOCH: i16 = 3;

/// Registers the broker.
pub async fn handle(
    (controller, connections): (LocalController, Connections),
    ctx: RequestContext,
    request: BrokerRegistrationRequest,
) -> BrokerRegistrationResponse {
    let refused = |error| request.refused(ctx.api_version, error);
    let Some(controller) = &controller else {
        return refused(ResponseError::NotController);
    };
    let is_open = move |id| connections.is_open(id);
    let cluster_id = request.cluster_id.to_string();
    let previous = (ctx.api_version >= TELLS_PREVIOUS_EPOCH).then_some(request.previous_broker_epoch);
    let registered = controller
        .register_broker(
            cluster_id,
            (registration(&request), previous),
            ctx.session.connection_id(),
            is_open,
        )
        .await;
    match registered {
        Ok(epoch) => BrokerRegistrationResponse::default().with_broker_epoch(epoch),
        Err(error) => refused(error.response_error()),
    }
}

fn registration(request: &BrokerRegistrationRequest) -> Registration {
    let end_points = request.listeners.iter().map(|listener| EndPoint {
        name: listener.name.to_string(),
        host: listener.host.to_string(),
        port: listener.port,
        security_protocol: listener.security_protocol,
    });
    let features = request.features.iter().map(|feature| FeatureRange {
        name: feature.name.to_string(),
        min_supported_version: feature.min_supported_version,
        max_supported_version: feature.max_supported_version,
    });
    Registration {
        broker_id: request.broker_id.0,
        incarnation_id: request.incarnation_id,
        broker_epoch: -1,
        end_points: end_points.collect(),
        features: features.collect(),
        rack: request.rack.as_ref().map(ToString::to_string),
        log_dirs: request.log_dirs.clone(),
        ..Registration::default()
    }
}

impl Refuse for BrokerRegistrationRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> BrokerRegistrationResponse {
        BrokerRegistrationResponse::default().with_error_code(error.code())
    }
}
