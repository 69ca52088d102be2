//! An address where nobody listens.

use tokio::net::TcpSocket;

/// A port that is taken and not listened at: connections to it are refused.
///
/// A port that is only free may be given to a server of another test, which then responds.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.0.local_addr().unwrap())
    }
}
