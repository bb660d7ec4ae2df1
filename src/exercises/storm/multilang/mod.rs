//! Storm's multilang protocol on standard input and output: components that a real Storm starts as processes.

pub mod bolt;
mod frames;
mod reply;
mod setup;
pub mod spout;
mod tuples;

#[cfg(test)]
mod tests;
