//! Feature toggles as a header.
//!
//! The toggles themselves are generated, one enum for each group of calls that takes the same ones: a toggle that a
//! call does not take cannot be written down, and one that is newer than this crate goes through `Unknown`.

use http::{HeaderName, HeaderValue};

use crate::error::{Error, Result};

/// The header that carries them, comma-separated.
const HEADER: HeaderName = HeaderName::from_static("dintero-feature-toggles");

/// The header for a list of toggles, each named once.
///
/// # Errors
/// When an unknown toggle is not a word of letters, digits and hyphens, which could add another.
pub(crate) fn header(toggles: &[impl AsRef<str>]) -> Result<Option<(HeaderName, HeaderValue)>> {
    let mut texts: Vec<&str> = toggles.iter().map(AsRef::as_ref).collect();
    texts.sort_unstable();
    texts.dedup();
    let is_word =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if texts.is_empty() {
        return Ok(None);
    }
    let value = texts.iter().all(is_word).then(|| HeaderValue::from_str(&texts.join(",")).ok()).flatten();
    match value {
        Some(value) => Ok(Some((HEADER, value))),
        None => Err(Error::invalid("a feature toggle has to be a word of letters, digits and hyphens")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PayToggle;

    #[test]
    fn toggles_are_comma_separated_and_named_once() {
        use PayToggle::{StrictMerchantReference as A, StrictSuccessMerchantReference as B};
        let value = |toggles: &[PayToggle]| header(toggles).unwrap().map(|(_, value)| value);
        assert_eq!(value(&[]), None);
        assert_eq!(value(&[A, A]).unwrap(), "strict-merchant-reference");
        assert_eq!(value(&[B, A]).unwrap(), "strict-merchant-reference,strict-success-merchant-reference");
        assert_eq!(value(&[PayToggle::Unknown("brand-new".into())]).unwrap(), "brand-new");
    }

    #[test]
    fn an_unknown_toggle_cannot_add_another() {
        for text in ["", "a,b", "a b", "a\r\nb", "ø"] {
            assert!(header(&[PayToggle::Unknown(text.into())]).is_err(), "{text:?}");
        }
    }
}
