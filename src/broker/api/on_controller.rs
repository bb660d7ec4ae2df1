//! The way of requests that only the controller can do: here if this node is it, else to it in an envelope.

use super::{Refuse, RequestContext, envelope};
use crate::broker::config::{ListenerKind, NodeConfig};
use crate::broker::controller::Controller;
use crate::broker::error::Result;
use crate::broker::metadata::AppliedMetadata;
use crate::broker::to_controller::{ToController, Unanswered};
use crate::broker::wanted::Wanted;
use crate::broker::world::time::timeout;
use kafka_protocol::ResponseError;
use std::sync::Arc;
use std::time::Duration;

/// How long a broker waits for its own metadata to show what the controller has done. Clients may then see it late, as
/// with Kafka.
pub(super) const CATCH_UP: Duration = Duration::from_secs(5);

/// The controller, wherever it is.
#[derive(Clone)]
pub struct OnController {
    controller: Option<Arc<Controller>>,
    to_controller: Arc<ToController>,
    metadata: Arc<AppliedMetadata>,
    config: Arc<NodeConfig>,
}

impl OnController {
    /// `controller`, if it is this node; else where `to_controller` leads.
    pub fn new(
        controller: Option<Arc<Controller>>,
        to_controller: Arc<ToController>,
        metadata: Arc<AppliedMetadata>,
        config: Arc<NodeConfig>,
    ) -> Self {
        OnController {
            controller,
            to_controller,
            metadata,
            config,
        }
    }

    /// Lets the controller answer a request, which is wanted for `timeout_ms` if it says so. `local` answers on the controller
    /// itself.
    pub async fn answer<Q, F>(
        &self,
        ctx: &RequestContext,
        request: Q,
        timeout_ms: Option<i32>,
        local: impl FnOnce(Arc<Controller>, Q, Wanted) -> F,
    ) -> Q::Response
    where
        Q: Refuse + Clone,
        F: Future<Output = Result<Q::Response>>,
    {
        let wanted = ctx.wanted(timeout_ms, self.config.millis("request.timeout.ms"));
        let Some(controller) = &self.controller else {
            let forwarded = self.forward(ctx, &request, &wanted).await;
            return forwarded.unwrap_or_else(|error| request.refused(ctx.api_version, error));
        };
        let answered = local(Arc::clone(controller), request.clone(), wanted).await;
        if ctx.session.listener() == ListenerKind::Broker {
            let caught_up = self.metadata.reaches(controller.image().offset);
            if timeout(CATCH_UP, caught_up).await.is_err() {
                tracing::warn!("this broker's metadata lags behind the controller's");
            }
        }
        answered.unwrap_or_else(|error| request.refused(ctx.api_version, error.response_error()))
    }

    async fn forward<Q: Refuse>(
        &self,
        ctx: &RequestContext,
        request: &Q,
        wanted: &Wanted,
    ) -> Result<Q::Response, ResponseError> {
        let sealed = envelope::seal(ctx, request)?;
        let asked = self
            .to_controller
            .ask(&sealed, 0, wanted, envelope::came_to_another)
            .await;
        let answer = asked.map_err(|unanswered| {
            tracing::warn!("{:?} of {}: {unanswered}", Q::KEY, ctx.session);
            match unanswered {
                Unanswered::Unreachable => ResponseError::NotController,
                Unanswered::GivenUp | Unanswered::Lost => ResponseError::RequestTimedOut,
            }
        })?;
        envelope::answer::<Q>(ctx, answer)
    }
}
