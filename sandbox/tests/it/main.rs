//! The sandbox over real sockets, as a program in any language meets it: plain HTTP and JSON.

mod callbacks;
mod clock;
mod express;
mod faults;
mod life;
mod lists;
mod pay;
mod responses;
mod rules;
mod support;
