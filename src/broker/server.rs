//! Accepts connections until told to stop.
