//! The table of APIs, `{key, min, max, handler}`, for dispatch and ApiVersions; one file per API.
//!
//! A handler is `pub async fn handle(node: Arc<Node>, ctx: RequestContext, request: XRequest) -> XResponse` in the
//! file named after the API. Errors that the protocol has a code for are part of the response.

pub mod leaders;

use std::net::SocketAddr;

/// What is known of a request beside its body.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Version of the request, within what the table advertises.
    pub api_version: i16,
    /// `client.id` of the request header, empty if absent.
    pub client_id: String,
    /// Who is connected.
    pub peer: SocketAddr,
    /// Unique among the connections of this process.
    pub connection_id: u64,
}
