//! The controller: registration, heartbeats, elections, and the metadata log it alone appends to.
