//! The sandbox itself, over plain HTTP.

mod answers;
mod callbacks;
mod express;
mod faults;
mod life;
mod lists;
mod pay;
mod sums;
mod support;
