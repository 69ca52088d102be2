//! Feature toggles, one type per group of calls that takes the same ones.
//!
//! A toggle is a type of the call that takes it, so one that a call does not take cannot be written down.

use http::{HeaderName, HeaderValue};

/// The header that carries them, comma-separated.
const HEADER: HeaderName = HeaderName::from_static("dintero-feature-toggles");

macro_rules! toggles {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Every toggle of these calls.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The toggle as it is sent.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl Toggle for $name {
            fn text(&self) -> &'static str {
                self.as_str()
            }
        }
    };
}

toggles! {
    /// Toggles of the calls that state an order: creating a session from a profile, updating a session.
    OrderToggle {
        /// The service refuses an order whose `amount` is not the sum of its items' amounts plus the shipping
        /// option's. The same is checked here before sending, with an error that gives the difference.
        StrictSessionAmounts = "strict-session-amounts",
    }
}

toggles! {
    /// Toggles of merchant-initiated payments, `sessions().pay(..)`.
    PayToggle {
        /// The service refuses (400) a `merchant_reference` that any session has used.
        StrictMerchantReference = "strict-merchant-reference",
        /// The service refuses (400) a `merchant_reference` that any authorized session has used.
        StrictSuccessMerchantReference = "strict-success-merchant-reference",
    }
}

pub(crate) trait Toggle {
    fn text(&self) -> &'static str;
}

/// The header for a list of toggles, each named once.
pub(crate) fn header(toggles: &[impl Toggle]) -> Option<(HeaderName, HeaderValue)> {
    let mut texts: Vec<_> = toggles.iter().map(Toggle::text).collect();
    texts.sort_unstable();
    texts.dedup();
    if texts.is_empty() {
        return None;
    }
    // Made of the texts above, all of them plain ASCII.
    let value = HeaderValue::from_str(&texts.join(",")).ok()?;
    Some((HEADER, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toggles_are_comma_separated_and_named_once() {
        use PayToggle::{StrictMerchantReference as A, StrictSuccessMerchantReference as B};
        let value = |toggles: &[PayToggle]| header(toggles).map(|(_, value)| value);
        assert_eq!(value(&[]), None);
        assert_eq!(value(&[A, A]).unwrap(), "strict-merchant-reference");
        assert_eq!(value(&[B, A]).unwrap(), "strict-merchant-reference,strict-success-merchant-reference");
    }
}
