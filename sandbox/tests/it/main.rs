//! The sandbox over real sockets, as a program in any language meets it: plain HTTP and JSON.

mod callbacks;
mod clock;
mod control;
mod express;
mod faults;
mod life;
mod lists;
mod pay;
#[cfg(feature = "program")]
mod program;
mod responses;
mod rules;
mod support;
