//! A response as it came, read to its end within bounds. What it means is decided elsewhere.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// The largest body that is read, in bytes: a page of a hundred large transactions is a tenth of it.
pub(crate) const LARGEST_BODY: usize = 32 * 1024 * 1024;
/// How much is made room for at most on the word of the server, in bytes.
const PROMISED: usize = 1_000_000;

/// A response, read to its end.
#[derive(Clone)]
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawResponse {
    /// Status and headers of a response whose body is still to come.
    pub(crate) fn head(response: &Response<Incoming>) -> Self {
        Self { status: response.status(), headers: response.headers().clone(), body: Bytes::new() }
    }
}

/// What became of reading a response. The status has been seen in each case.
pub(crate) enum Read {
    Whole(RawResponse),
    /// The connection ended or broke before the body did.
    Cut(RawResponse, hyper::Error),
    TooLarge(RawResponse),
}

/// Reads the body of a response. What was read before a failure is kept.
pub(crate) async fn read(mut response: Response<Incoming>, largest: usize) -> Read {
    let mut raw =
        RawResponse { status: response.status(), headers: std::mem::take(response.headers_mut()), body: Bytes::new() };
    // Room for all of it from the start: grown piece by piece, a body is copied several times.
    let promised = usize::try_from(response.body().size_hint().lower()).unwrap_or(PROMISED);
    let mut body = BytesMut::with_capacity(promised.min(PROMISED));
    loop {
        match response.body_mut().frame().await.transpose() {
            Ok(None) => {
                raw.body = body.freeze();
                return Read::Whole(raw);
            }
            Ok(Some(frame)) => {
                // Trailers say nothing that is read here.
                let Ok(chunk) = frame.into_data() else { continue };
                if body.len().saturating_add(chunk.len()) > largest {
                    raw.body = body.freeze();
                    return Read::TooLarge(raw);
                }
                body.extend_from_slice(&chunk);
            }
            Err(cause) => {
                raw.body = body.freeze();
                return Read::Cut(raw, cause);
            }
        }
    }
}
