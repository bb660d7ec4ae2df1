//! The table of APIs, `{key, min, max, handler}`, for dispatch and ApiVersions; one file per API.
//!
//! A handler is `pub async fn handle(door: Door, ctx: RequestContext, request: XRequest) -> XResponse` in the file named after
//! the API, where the door is what it uses of the node and no more (`doors.rs`), and beside it stands what is answered to a request that is refused as a whole ([`Refuse`]).
//! Errors that the protocol has a code for are part of the response. A handler that sometimes must not answer (Produce with
//! `acks=0`), or encodes its answer itself, returns `Reply<XResponse>`.

mod admin;
mod cluster;
mod context;
pub(super) mod data;
mod dispatch;
mod doors;
mod envelope;
mod groups;
mod on_controller;
mod parts;
mod refusal;
mod refuse;
mod reply;
mod run;
mod security;
mod table;
mod text;
mod transactions;

pub use context::RequestContext;
pub use dispatch::{dispatch, may_be_withdrawn};
pub use doors::Doors;
pub use refusal::Refusal;
pub use refuse::Refuse;
pub use reply::Reply;
pub use table::{APIS, Api, find};
use text::{message, text};
