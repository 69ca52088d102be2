//! Sockets and HTTP, in and out: what arrives is handed to `rules`, what comes of it goes back, callbacks go out.

pub(crate) mod deliver;
pub(crate) mod express;
mod outbound;
mod route;
pub(crate) mod server;
mod sign;
pub(crate) mod sockets;
