//! Ids that name an account, a session or a transaction.
//!
//! An id of this API tells its account (`P00000000.465U8CUzaPVpneu1wt8Wei`) and the account tells the
//! environment, so both are known without asking. What is checked here keeps an id from changing the
//! path it is put into; whether it exists only the service knows. An id of another form inside a response
//! is skipped and reported, as any field is that cannot be read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where an account lives. Both share the hosts; the account id decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// A test account: `T` and eight digits. No money moves.
    Sandbox,
    /// A live account: `P` and eight digits.
    Live,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        })
    }
}

/// Why a text is not an id. Tells the kind of id and the reason, never the text itself, because what
/// ends up in place of an id by mistake may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what} id: {reason}")]
pub struct IdError {
    what: &'static str,
    reason: &'static str,
}

impl IdError {
    /// Returns the kind of id: `account`, `session` or `transaction`.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Returns what is wrong with the text.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

/// The id of an account: `T` (sandbox) or `P` (live) and eight digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// Reads an account id.
    ///
    /// # Errors
    /// When the text is not `T` or `P` followed by exactly eight digits.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        check_account(&text).map_err(|reason| IdError { what: "account", reason })?;
        Ok(Self(text))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the environment, sandbox or live, by the first letter.
    #[must_use]
    pub fn environment(&self) -> Environment {
        if self.0.starts_with('P') { Environment::Live } else { Environment::Sandbox }
    }
}

fn check_account(text: &str) -> Result<(), &'static str> {
    let Some(digits) = text.strip_prefix(['T', 'P']) else {
        return Err("it must begin with `T` (sandbox) or `P` (live)");
    };
    if digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err("eight digits must follow the letter")
    }
}

/// `ACCOUNT.SHORTID`. The characters are the ones a URL path carries as they are; the dot is left out
/// after the first, which no known id uses, so that no part can be taken for `.` or `..`.
fn check_scoped(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    let Some((account, short)) = text.split_once('.') else {
        return Err("it must have the form ACCOUNT.SHORTID");
    };
    check_account(account).map_err(|_| "it must begin with an account id and a dot")?;
    if short.is_empty() {
        return Err("nothing follows the account id");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~');
    if short.bytes().all(allowed) {
        Ok(())
    } else {
        Err("after the account id only letters, digits, `-`, `_` and `~` may stand")
    }
}

macro_rules! scoped_id {
    ($name:ident, $what:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// The form is `ACCOUNT.SHORTID`, for example `P00000000.465U8CUzaPVpneu1wt8Wei`.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            text: String,
            account: AccountId,
        }

        impl $name {
            /// Reads an id.
            ///
            /// # Errors
            /// When the text is empty, does not begin with an account id and a dot, or has a character
            /// that a URL path does not carry as it is.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check_scoped(&text).map_err(|reason| IdError { what: $what, reason })?;
                let account = text.split('.').next().unwrap_or_default().to_owned();
                Ok(Self { text, account: AccountId(account) })
            }

            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// Returns the account the id belongs to.
            #[must_use]
            pub fn account(&self) -> &AccountId {
                &self.account
            }

            /// Returns the environment, sandbox or live, by the account.
            #[must_use]
            pub fn environment(&self) -> Environment {
                self.account.environment()
            }
        }

        text_traits!($name, "an id of the form ACCOUNT.SHORTID");
    };
}

macro_rules! text_traits {
    ($name:ident, $form:literal) => {
        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                // Without the text, which may be anything.
                let found = serde::de::Unexpected::Other("a text of another form");
                Self::new(text).map_err(|_| serde::de::Error::invalid_value(found, &$form))
            }
        }
    };
}

text_traits!(AccountId, "an account id: `T` or `P` and eight digits");
scoped_id!(SessionId, "session", "The id of a checkout session.");
scoped_id!(TransactionId, "transaction", "The id of a payment transaction.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_a_letter_and_eight_digits() {
        assert_eq!(AccountId::new("T12345678").map(|id| id.environment()), Ok(Environment::Sandbox));
        assert_eq!(AccountId::new("P00000000").map(|id| id.environment()), Ok(Environment::Live));
        for bad in [
            "",
            "T",
            "T1234567",
            "T123456789",
            "X12345678",
            "t12345678",
            "T1234567a",
            "T1234567\u{0661}",
            " T12345678",
            "T12345678 ",
            "T12345678.",
        ] {
            assert!(AccountId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_says_which_id_and_why_and_an_environment_its_name() {
        let error = AccountId::new("T1").unwrap_err();
        assert_eq!(error.to_string(), format!("not a valid account id: {}", error.reason()));
        assert!(error.reason().contains("eight digits"), "{error}");
        assert_eq!(
            (Environment::Sandbox.to_string(), Environment::Live.to_string()),
            ("sandbox".into(), "live".into())
        );
    }

    #[test]
    fn a_scoped_id_knows_its_account() {
        let id = TransactionId::new("P00000000.465U8CUzaPVpneu1wt8Wei").unwrap();
        assert_eq!(id.account().as_str(), "P00000000");
        assert_eq!(id.environment(), Environment::Live);
        assert_eq!(id.to_string(), "P00000000.465U8CUzaPVpneu1wt8Wei");
    }

    #[test]
    fn whatever_could_change_the_path_is_refused() {
        for bad in [
            "",
            ".",
            "..",
            "/",
            "../x",
            "T12345678",
            "T12345678.",
            "T12345678..",
            "T12345678...",
            "T12345678./",
            "T12345678.a/b",
            "T12345678.a/../b",
            "T12345678.a?b",
            "T12345678.a#b",
            "T12345678.a%2fb",
            "T12345678.a\\b",
            "T12345678.a b",
            "T12345678.a\n",
            "T12345678.\u{0}",
            "T12345678.é",
            "abc.def",
            "T12345678.a.b",
        ] {
            assert!(SessionId::new(bad).is_err(), "{bad:?}");
            assert!(TransactionId::new(bad).is_err(), "{bad:?}");
            assert!(serde_json::from_value::<SessionId>(bad.into()).is_err());
        }
    }

    #[test]
    fn an_error_does_not_quote_the_text() {
        let error = SessionId::new("john@example.com").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("john"));
        assert_eq!(error.what(), "session");
    }
}
