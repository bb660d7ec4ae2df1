//! BrokerHeartbeat: a broker says that it lives, has caught up, or wants to stop (KIP-500).

use crate::broker::api::parts::LocalController;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::controller::Heartbeat;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};

/// Takes the heartbeat.
pub async fn handle(
    controller: LocalController,
    ctx: RequestContext,
    request: BrokerHeartbeatRequest,
) -> BrokerHeartbeatResponse {
    let refused = |error| request.refused(ctx.api_version, error);
    let Some(controller) = &controller else {
        return refused(ResponseError::NotController);
    };
    let heartbeat = Heartbeat {
        broker_id: request.broker_id.0,
        broker_epoch: request.broker_epoch,
        metadata_offset: request.current_metadata_offset,
        want_fence: request.want_fence,
        want_shut_down: request.want_shut_down,
        connection: ctx.session.connection_id(),
    };
    match controller.heartbeat(heartbeat).await {
        Ok(state) => BrokerHeartbeatResponse::default()
            .with_is_caught_up(state.caught_up)
            .with_is_fenced(state.fenced)
            .with_should_shut_down(state.should_shut_down),
        Err(error) => refused(error.response_error()),
    }
}

impl Refuse for BrokerHeartbeatRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> BrokerHeartbeatResponse {
        BrokerHeartbeatResponse::default().with_error_code(error.code())
    }
}
