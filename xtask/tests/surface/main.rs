//! What no code is made of, and that it is told by name. The Rust API that is made is a snapshot of `interface.rs`.

mod refusals;
