//! Who asks, and what they may do.

mod authorizer;
mod operation;
mod principal;
mod protocol;
mod session;

pub use authorizer::Authorizer;
pub use operation::{Ask, Operation, ResourceType};
pub use principal::Principal;
pub use protocol::SecurityProtocol;
pub use session::{Session, Software};
