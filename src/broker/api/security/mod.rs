//! Access rights, which there are none of.

pub(super) mod create_acls;
pub(super) mod delete_acls;
pub(super) mod describe_acls;
