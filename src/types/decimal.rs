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
/// fraction are refused when sending rather than changed, and are those of the nearest float in a response.
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

    fn read(json: &str) -> Result<Decimal, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_json_number_is_read_and_written_as_it_is() {
        for (json, shown, written) in [
            ("0", "0", "0"),
            ("-3", "-3", "-3"),
            ("25.00", "25", "25"),
            ("2.5", "2.5", "2.5"),
            ("0.1", "0.1", "0.1"),
            ("1e3", "1000", "1000"),
            ("-0.001", "-0.001", "-0.001"),
            ("12345.6789", "12345.6789", "12345.6789"),
            // Beyond what a float tells apart.
            ("9007199254740993", "9007199254740993", "9007199254740993"),
            ("-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
            // In quotes.
            ("\"2.50\"", "2.50", "2.5"),
            ("\" 1e-2 \"", "0.01", "0.01"),
        ] {
            let number = read(json).unwrap();
            assert_eq!((number.to_string(), format!("{number:?}")), (shown.to_owned(), shown.to_owned()), "{json}");
            assert_eq!(serde_json::to_string(&number).unwrap(), written, "{json}");
        }
        assert_eq!(read("18446744073709551615").unwrap(), u64::MAX.into());
    }

    #[test]
    fn it_is_the_decimal_that_it_holds() {
        let tenth = rust_decimal::Decimal::new(1, 1);
        let number: Decimal = "0.1".parse().unwrap();
        assert_eq!((number.get(), *number, number.into()), (tenth, tenth, tenth));
        assert_eq!(Decimal::from(tenth), number);
        assert_eq!((Decimal::from(-3_i64).to_string(), Decimal::from(25_u8).to_string()), ("-3".into(), "25".into()));
    }

    #[test]
    fn a_number_that_json_would_change_is_refused() {
        let fine: Decimal = "0.1234567890123456789".parse().unwrap();
        assert!(serde_json::to_string(&fine).is_err());
        // In a response it is the nearest float.
        assert_eq!(read("0.1234567890123456789").unwrap().to_string(), "0.12345678901234568");
    }

    #[test]
    fn what_is_no_decimal_is_an_error() {
        for (json, why) in [
            ("1e300", "the number is too large for a decimal"),
            ("\"ten\"", "not a decimal number of at most 28 digits"),
            ("null", "expected a decimal number"),
            ("{}", "expected a decimal number"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[cfg(feature = "schemars")]
    #[test]
    fn its_json_schema_is_that_of_a_number() {
        assert_eq!(schemars::schema_for!(Decimal).get("type"), Some(&"number".into()));
    }
}
