//! The way of requests that only the controller can do: here if this node is it, else forwarded to it.

use super::{ListenerKind, RequestContext};
use crate::broker::controller::Controller;
use crate::broker::error::Result;
use crate::broker::node::Node;
use crate::broker::world::time::timeout;
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::{Request, StrBytes};
use std::sync::Arc;
use std::time::Duration;

/// How long a broker waits for its own metadata to show what the controller has done. Clients may then see it late, as
/// with Kafka.
pub(super) const CATCH_UP: Duration = Duration::from_secs(5);

/// Lets the controller answer a request. `local` answers on the controller itself, `failed` when it cannot be reached or
/// cannot write.
pub async fn on_controller<Q, F>(
    node: &Arc<Node>,
    ctx: &RequestContext,
    request: Q,
    local: impl FnOnce(Arc<Controller>, Q) -> F,
    failed: impl FnOnce(ResponseError) -> Q::Response,
) -> Q::Response
where
    Q: Request,
    F: Future<Output = Result<Q::Response>>,
{
    let Some(controller) = &node.controller else {
        return forward(node, ctx, request, failed).await;
    };
    let answered = local(Arc::clone(controller), request).await;
    if ctx.listener == ListenerKind::Broker {
        let caught_up = node.await_metadata(controller.image().offset);
        if timeout(CATCH_UP, caught_up).await.is_err() {
            tracing::warn!("this broker's metadata lags behind the controller's");
        }
    }
    answered.unwrap_or_else(|error| failed(error.response_error()))
}

async fn forward<Q: Request>(
    node: &Arc<Node>,
    ctx: &RequestContext,
    request: Q,
    failed: impl FnOnce(ResponseError) -> Q::Response,
) -> Q::Response {
    let timeout = node.config.millis("request.timeout.ms");
    let mut controller = node.to_controller.lock().await;
    match controller.ask(&request, ctx.api_version, timeout).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(%error, "the controller cannot be reached");
            failed(ResponseError::NotController)
        }
    }
}

/// A text of the protocol.
pub fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// A text of the protocol that may be null; empty becomes null.
pub fn message(text: impl Into<String>) -> Option<StrBytes> {
    let text = text.into();
    (!text.is_empty()).then(|| StrBytes::from_string(text))
}
