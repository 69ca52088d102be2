//! Numbers with a fraction: quantities, VAT percentages, rates. Never sums of money.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A decimal number, kept exactly as it was written: `0.1` is a tenth, not the float nearest to it.
///
/// It holds a [`rust_decimal::Decimal`], to which it dereferences. In JSON it is a number. The JSON layer in between
/// knows only integers and floats, so a number has to survive that way: more than about 15 significant digits with a
/// fraction are refused when sending rather than changed.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(rust_decimal::Decimal);

/// A text that is no decimal number, or one with more than 28 digits.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("not a decimal number of at most 28 digits")]
pub struct DecimalError(#[source] rust_decimal::Error);

impl Decimal {
    /// Returns the number itself.
    #[must_use]
    pub fn get(self) -> rust_decimal::Decimal {
        self.0
    }

    /// The decimal that a JSON float was written as: the shortest one that reads back as the same float.
    fn from_float(value: f64) -> Option<Self> {
        let text = format!("{value:e}");
        rust_decimal::Decimal::from_scientific(&text).ok().map(Self)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let text = text.trim();
        rust_decimal::Decimal::from_str_exact(text)
            .or_else(|error| rust_decimal::Decimal::from_scientific(text).map_err(|_| error))
            .map(Self)
            .map_err(DecimalError)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Deref for Decimal {
    type Target = rust_decimal::Decimal;

    fn deref(&self) -> &rust_decimal::Decimal {
        &self.0
    }
}

impl From<rust_decimal::Decimal> for Decimal {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self(value)
    }
}

impl From<Decimal> for rust_decimal::Decimal {
    fn from(value: Decimal) -> Self {
        value.0
    }
}

macro_rules! from_integers {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Decimal {
            fn from(value: $kind) -> Self {
                Self(value.into())
            }
        }
    )*};
}

from_integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = self.0.normalize();
        if plain.scale() == 0
            && let Ok(integer) = i64::try_from(plain)
        {
            return serializer.serialize_i64(integer);
        }
        let float =
            f64::try_from(plain).ok().filter(|float| Self::from_float(*float).is_some_and(|back| back.0 == plain));
        match float {
            Some(float) => serializer.serialize_f64(float),
            None => Err(serde::ser::Error::custom("the decimal has more digits than a JSON number carries")),
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
                Ok(value.into())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
                Ok(value.into())
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Decimal, E> {
                Decimal::from_float(value).ok_or_else(|| E::custom("the number is too large for a decimal"))
            }

            // Some services quote their numbers.
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Decimal, E> {
                value.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Decimal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_number_survives_reading_and_writing() {
        for text in ["0", "1", "-3", "2.5", "0.1", "25.00", "1e3", "12345.6789", "9007199254740993", "-0.001"] {
            let read: Decimal = serde_json::from_str(text).unwrap();
            let again: Decimal = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
            assert_eq!(read, again, "{text}");
        }
        assert_eq!(serde_json::from_str::<Decimal>("0.1").unwrap(), "0.1".parse().unwrap());
    }

    #[test]
    fn a_number_that_json_would_change_is_refused() {
        let fine: Decimal = "0.1234567890123456789".parse().unwrap();
        assert!(serde_json::to_string(&fine).is_err());
    }

    #[test]
    fn what_is_no_decimal_is_an_error() {
        for text in ["1e300", "\"ten\"", "null", "{}"] {
            assert!(serde_json::from_str::<Decimal>(text).is_err(), "{text}");
        }
    }
}
