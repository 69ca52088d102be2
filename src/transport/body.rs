//! Reading an answer's body to its end, within bounds.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

/// The largest body that is read, in bytes: a page of a hundred large transactions is a tenth of it.
pub(crate) const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// An answer, read to its end.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What became of reading an answer. The status has been seen in each case.
pub(crate) enum Read {
    Whole(Answer),
    /// The connection ended or broke before the body did.
    Cut(Answer, reqwest::Error),
    TooLarge(Answer),
}

/// Reads the body of an answer. What was read before a failure is kept.
pub(crate) async fn read(mut response: reqwest::Response, largest: usize) -> Read {
    let mut answer =
        Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body: Bytes::new() };
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => {
                answer.body = body.freeze();
                return Read::Whole(answer);
            }
            Ok(Some(chunk)) => {
                if body.len().saturating_add(chunk.len()) > largest {
                    answer.body = body.freeze();
                    return Read::TooLarge(answer);
                }
                body.extend_from_slice(&chunk);
            }
            Err(cause) => {
                answer.body = body.freeze();
                return Read::Cut(answer, cause);
            }
        }
    }
}
