//! The `Dintero-System-*` headers.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};
use crate::read::JsonPath;

/// The longest value the service takes, in characters.
const LONGEST: usize = 120;

/// Which system makes the calls: stored by the service with the sessions and transactions it makes, and
/// recommended on every request.
///
/// Each value has at most 120 characters of printable ASCII. This is checked when the client is built, and
/// for headers given with a call before that call is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemHeaders {
    /// The name of the system, for example of the shop software.
    pub name: Option<String>,
    /// The version of the system.
    pub version: Option<String>,
    /// The name of the plug-in that connects the system to Dintero.
    pub plugin_name: Option<String>,
    /// The version of the plug-in.
    pub plugin_version: Option<String>,
}

impl SystemHeaders {
    /// The headers to send.
    ///
    /// # Errors
    /// Names the header whose value is too long or cannot stand in a header.
    pub(crate) fn headers(&self) -> Result<HeaderMap> {
        let pairs = [
            ("dintero-system-name", &self.name),
            ("dintero-system-version", &self.version),
            ("dintero-system-plugin-name", &self.plugin_name),
            ("dintero-system-plugin-version", &self.plugin_version),
        ];
        let set = pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        set.map(|(name, value)| {
            if value.chars().count() > LONGEST {
                return Err(Error::invalid_field(
                    JsonPath::root().field(name),
                    format!("the header {name} is longer than {LONGEST} characters"),
                ));
            }
            // What `HeaderValue` takes is wider, and differs between its versions.
            let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            match HeaderValue::from_str(value) {
                Ok(value) if printable => Ok((HeaderName::from_static(name), value)),
                _ => Err(Error::invalid_field(
                    JsonPath::root().field(name),
                    format!("the header {name} has characters other than printable ASCII"),
                )),
            }
        })
        .collect()
    }

    /// These headers where they are set, and the given ones elsewhere.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let pick = |own: &Option<String>, other: &Option<String>| own.clone().or(other.clone());
        Self {
            name: pick(&self.name, &other.name),
            version: pick(&self.version, &other.version),
            plugin_name: pick(&self.plugin_name, &other.plugin_name),
            plugin_version: pick(&self.plugin_version, &other.plugin_version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> SystemHeaders {
        SystemHeaders { name: Some(name.to_owned()), ..SystemHeaders::default() }
    }

    #[test]
    fn a_value_has_at_most_120_characters_of_printable_ascii() {
        assert_eq!(named(&"x".repeat(120)).headers().unwrap().len(), 1);
        assert!(SystemHeaders::default().headers().unwrap().is_empty());
        for bad in ["x".repeat(121), "a\nb".into(), "å".into(), "a\u{0}".into()] {
            let error = named(&bad).headers().unwrap_err();
            assert!(error.to_string().contains("dintero-system-name"), "{error}");
            assert_eq!(error.path().and_then(JsonPath::last_field), Some("dintero-system-name"));
        }
    }

    #[test]
    fn what_a_call_sets_goes_before_what_the_client_sets() {
        let client = SystemHeaders { version: Some("1".into()), ..named("shop") };
        let merged = named("other").or(&client);
        assert_eq!(merged.name.as_deref(), Some("other"));
        assert_eq!(merged.version.as_deref(), Some("1"));
    }
}
