//! Calls: what is sent, how often, and what is made of the response.

mod attempts;
mod bounds;
mod connections;
mod errors;
mod lists;
mod once;
mod outcome;
mod pace;
mod requests;
mod resolving;
mod retry;
mod runtime;
mod spans;
mod sums;
mod tls;
mod token;
mod token_failures;
mod token_store;
mod unproven;
mod verdicts;
