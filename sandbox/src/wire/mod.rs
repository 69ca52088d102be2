//! Sockets and HTTP, in and out: what arrives is handed to `rules`, what comes of it goes back, callbacks go out.

mod control;
pub(crate) mod deliver;
pub(crate) mod express;
mod outbound;
mod pages;
mod route;
pub(crate) mod server;
mod sign;
pub(crate) mod sockets;
