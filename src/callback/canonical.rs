//! The two parts of a URL that a signature covers, in the one form both sides agree on.
//!
//! The sender signs what JavaScript's `URL` makes of the callback URL: `hostname`, `pathname`, and
//! `searchParams` after `sort()`. Nothing here knows about secrets or headers.

use url::form_urlencoded;

/// The parameters of a raw query (without its `?`), decoded as `URLSearchParams` decodes them and in
/// the order its `sort()` leaves them: by name only, stable, compared by UTF-16 code units.
pub(crate) fn sorted_pairs(raw: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
    // Code units, not code points: an emoji is two surrogates, which sort before U+E000..U+FFFF.
    pairs.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    pairs
}

/// Pairs as `URLSearchParams.toString()` writes them.
pub(crate) fn encode_pairs(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The path of a request as the sender signed it.
///
/// A client sends the path it signed, already normalised, so what arrives is taken as it is: were
/// `/x/../callback` folded here, a signature for `/callback` would vouch for a request that the router
/// sees elsewhere. Only what cannot stand in a request line is escaped, because some frameworks hand
/// out paths with such characters decoded; it also keeps a line break from shifting the signed parts.
pub(crate) fn wire_path(raw: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut path = String::with_capacity(raw.len());
    for c in raw.chars() {
        if c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '`' | '{' | '}') {
            path.push(c);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in c.encode_utf8(&mut bytes).bytes() {
            path.push('%');
            path.extend(HEX.get(usize::from(byte >> 4)));
            path.extend(HEX.get(usize::from(byte & 15)));
        }
    }
    path
}

/// Splits a request target into path and query. The fragment, which no client sends, is dropped.
pub(crate) fn split_target(target: &str) -> (&str, &str) {
    let target = target.split_once('#').map_or(target, |(before, _)| before);
    target.split_once('?').unwrap_or((target, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(raw: &str) -> String {
        encode_pairs(&sorted_pairs(raw))
    }

    #[test]
    fn a_query_is_sorted_by_name_only_and_form_encoded() {
        assert_eq!(canonical("B=123&A=992"), "A=992&B=123");
        assert_eq!(canonical("b=2&a=9&b=1&a=0"), "a=9&a=0&b=2&b=1");
        assert_eq!(canonical("x&y=&=z&&"), "=z&x=&y=");
        assert_eq!(canonical("a=%20+~*:%c3%a6-._"), "a=++%7E*%3A%C3%A6-._", "only letters, digits and * - . _ stay");
        assert_eq!(canonical(""), "");
    }

    #[test]
    fn names_compare_by_utf16_code_units() {
        // U+1F600 is D83D DE00, below U+FF5E, although its code point is above it.
        assert_eq!(canonical("\u{ff5e}=1&\u{1f600}=2"), "%F0%9F%98%80=2&%EF%BD%9E=1");
    }

    #[test]
    fn broken_escapes_and_bytes_read_as_javascript_reads_them() {
        assert_eq!(canonical("a=%zz%4"), "a=%25zz%254");
        assert_eq!(canonical("a=%ff%fe"), "a=%EF%BF%BD%EF%BF%BD");
        assert_eq!(canonical("a=%ed%a0%80"), "a=%EF%BF%BD%EF%BF%BD%EF%BF%BD", "an escaped lone surrogate");
        assert_eq!(canonical("a=%ef%bb%bfx"), "a=%EF%BB%BFx", "the mark stays");
    }

    #[test]
    fn a_path_is_taken_as_it_arrived() {
        assert_eq!(wire_path("/a/../b/%2F/%7e//"), "/a/../b/%2F/%7e//");
        assert_eq!(wire_path("/kj\u{f8}p \n\"<>`{}"), "/kj%C3%B8p%20%0A%22%3C%3E%60%7B%7D");
    }
}
