//! DescribeCluster: id, controller and brokers of the cluster (KIP-700, KIP-919).

use crate::broker::api::parts::{LocalController, Metadata};
use crate::broker::api::{Refuse, RequestContext, message, text};
use crate::broker::config::ListenerKind;
use crate::broker::metadata::MetadataImage;
use crate::broker::security::{Authorizer, ResourceType};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use std::sync::Arc;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

/// Describes the cluster.
pub async fn handle(
    (metadata, controller, authorizer): (Metadata, LocalController, Arc<Authorizer>),
    ctx: RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let wanted = ctx.since(1, request.endpoint_type, BROKERS);
    let served = match ctx.session.listener() {
        ListenerKind::Broker => BROKERS,
        ListenerKind::Controller => CONTROLLERS,
    };
    if wanted != served {
        return DescribeClusterResponse::default()
            .with_error_code(ResponseError::MismatchedEndpointType.code())
            .with_error_message(message("The request was sent to an endpoint of the wrong type."))
            .with_endpoint_type(ctx.since(1, served, BROKERS));
    }
    let image = controller
        .as_ref()
        .filter(|_| served == CONTROLLERS)
        .map_or_else(|| metadata.load_full(), |controller| controller.image());
    let brokers = if served == BROKERS {
        brokers(
            &image,
            ctx.session.listener_name(),
            request.include_fenced_brokers,
        )
    } else {
        Vec::new()
    };
    DescribeClusterResponse::default()
        .with_endpoint_type(served)
        .with_cluster_id(text(image.cluster_id.as_str()))
        .with_controller_id(BrokerId(told_controller(&image, served)))
        .with_brokers(brokers)
        .with_cluster_authorized_operations(authorizer.operations(
            &ctx.session,
            ResourceType::Cluster,
            request.include_cluster_authorized_operations,
        ))
}

/// The controller itself to those who asked a controller. Clients of brokers are told a broker, as in KRaft: it forwards.
fn told_controller(image: &MetadataImage, served: i8) -> i32 {
    if served == CONTROLLERS {
        return image.controller_id;
    }
    super::metadata::controller_for_clients(image)
}

fn brokers(image: &MetadataImage, listener: &str, include_fenced: bool) -> Vec<DescribeClusterBroker> {
    let shown = image
        .brokers
        .values()
        .filter(|broker| include_fenced || !broker.fenced);
    shown
        .filter_map(|broker| {
            let endpoint = broker.endpoint(listener)?;
            let told = DescribeClusterBroker::default()
                .with_broker_id(BrokerId(broker.id))
                .with_host(text(endpoint.host.as_str()))
                .with_port(i32::from(endpoint.port))
                .with_rack(broker.rack.as_deref().map(text))
                .with_is_fenced(broker.fenced);
            Some(told)
        })
        .collect()
}

impl Refuse for DescribeClusterRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeClusterResponse {
        DescribeClusterResponse::default().with_error_code(error.code())
    }
}
