//! What a request brought that no signature covers.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::read::{self, Read, Unreadable};
use crate::types::Transaction;

/// A value that nothing proves. It must be taken out by a method that says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, to be used as a hint only.
    #[must_use]
    pub fn as_hint(&self) -> &T {
        &self.0
    }

    /// Returns the value, to be used as a hint only.
    #[must_use]
    pub fn into_hint(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Unverified<T> {
    // Bodies hold names, addresses and card data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(..)")
    }
}

/// The body of a callback. The signature does not cover it, so it proves nothing, not even that the
/// transaction exists: fetch the transaction instead.
#[derive(Clone)]
pub struct UnverifiedBody {
    bytes: Bytes,
}

impl UnverifiedBody {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// Returns the bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the body as the transaction that the service sends with `method=POST`, read as leniently as a response.
    ///
    /// # Errors
    /// When it is not JSON, or lacks a required field of a transaction.
    pub fn transaction(&self) -> Result<Unverified<Read<Transaction>>, Unreadable> {
        self.json()
    }

    /// Returns the body as any other JSON, such as the `session` that `includes=session` adds.
    ///
    /// # Errors
    /// When it is not JSON of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<Unverified<Read<T>>, Unreadable> {
        read::from_slice(&self.bytes).map(Unverified::new)
    }
}

impl fmt::Debug for UnverifiedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnverifiedBody({} bytes)", self.bytes.len())
    }
}
