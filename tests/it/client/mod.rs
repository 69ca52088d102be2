//! Calls: what is sent, how often, and what is made of the response.

mod bounds;
mod lists;
mod once;
mod outcome;
mod repeat;
mod requests;
mod spans;
mod sums;
mod tls;
mod token;
mod token_store;
mod unproven;
mod verdicts;
