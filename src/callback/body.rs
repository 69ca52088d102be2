//! What a request brought that no signature covers.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;

/// A value that nobody vouches for. It must be taken out by a method that says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to be used as a hint only.
    #[must_use]
    pub fn as_hint(&self) -> &T {
        &self.0
    }

    /// The value, to be used as a hint only.
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

/// A body that is not the JSON it should be. Tells where, never what stands there.
#[derive(Debug, thiserror::Error)]
#[error("the body cannot be read at `{path}`")]
pub struct BodyError {
    path: String,
    #[source]
    source: Position,
}

impl BodyError {
    /// The JSON path of the value that could not be read; `.` for the whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Where the text of a body broke off. The parser's own words may quote the body, so they are not kept.
#[derive(Debug, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
struct Position {
    kind: &'static str,
    line: usize,
    column: usize,
}

/// Reads JSON, naming the path at which reading failed.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        BodyError::new(path, error.inner())
    })?;
    reader.end().map_err(|error| BodyError::new(".".to_owned(), &error))?;
    Ok(value)
}

impl BodyError {
    fn new(path: String, error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        Self {
            path,
            source: Position {
                kind: match error.classify() {
                    Category::Data => "a value of another type",
                    Category::Eof => "an early end",
                    Category::Io | Category::Syntax => "no JSON",
                },
                line: error.line(),
                column: error.column(),
            },
        }
    }
}

impl UnverifiedBody {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The body as any JSON.
    ///
    /// # Errors
    /// When it is not JSON of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<Unverified<T>, BodyError> {
        read_json(&self.bytes).map(Unverified::new)
    }
}

impl fmt::Debug for UnverifiedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnverifiedBody({} bytes)", self.bytes.len())
    }
}
