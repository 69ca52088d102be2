//! The public URL that a callback was sent to, told from what the server saw of it.
//!
//! A signature covers the host and the path that the service was told. Behind a proxy the server may see others.

use url::Url;

use super::canonical::wire_path;
use super::verifier::{VerifierError, VerifyError};

/// The public host, and how public paths become those that the server sees.
#[derive(Debug)]
pub(crate) struct PublicUrl {
    pub(crate) host: String,
    /// Those with the longest handler path first.
    maps: Vec<PathMap>,
}

/// Both without a slash at the end, so empty for the root.
#[derive(Debug)]
struct PathMap {
    public: String,
    handler: String,
}

impl PublicUrl {
    pub(crate) fn new(base_url: &str, maps: &[(String, String)]) -> Result<Self, VerifierError> {
        let base = Url::parse(base_url).map_err(|_| VerifierError::BaseUrl("is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(VerifierError::BaseUrl("is not an http(s) URL"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(VerifierError::BaseUrl("has credentials in it"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(VerifierError::BaseUrl("has a query or a fragment"));
        }
        if base.path() != "/" {
            return Err(VerifierError::BaseUrl(
                "has a path: leave it off, and use `map_path` where a proxy changes it",
            ));
        }
        let host = base.host_str().ok_or(VerifierError::BaseUrl("has no host"))?.to_owned();
        let mut maps = maps
            .iter()
            .map(|(public, handler)| Ok(PathMap { public: prefix(public)?, handler: prefix(handler)? }))
            .collect::<Result<Vec<_>, _>>()?;
        maps.sort_by_key(|map| std::cmp::Reverse(map.handler.len()));
        Ok(Self { host, maps })
    }

    /// The public paths that a request with this path may have been sent to: one, unless two lead to one handler.
    pub(crate) fn paths(&self, seen: &str) -> Vec<String> {
        let seen = wire_path(if seen.is_empty() { "/" } else { seen });
        let mut longest = None;
        let mut paths = Vec::new();
        for map in &self.maps {
            let rest = seen.strip_prefix(&map.handler).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            if let Some(rest) = rest
                && *longest.get_or_insert(map.handler.len()) == map.handler.len()
            {
                let path = format!("{}{rest}", map.public);
                paths.push(if path.is_empty() { "/".to_owned() } else { path });
            }
        }
        if paths.is_empty() {
            paths.push(seen);
        }
        paths
    }
}

fn prefix(path: &str) -> Result<String, VerifierError> {
    if !path.starts_with('/') {
        return Err(VerifierError::PathMap("does not begin with `/`"));
    }
    if path.contains(['?', '#']) {
        return Err(VerifierError::PathMap("has a query or a fragment"));
    }
    Ok(wire_path(path.trim_end_matches('/')))
}

/// What follows the authority of an absolute http(s) URL.
pub(crate) fn after_authority(url: &str) -> Result<&str, VerifyError> {
    const NEITHER: VerifyError = VerifyError::Target("it is neither a path nor an absolute http(s) URL");
    let (scheme, rest) = url.split_once("://").ok_or(NEITHER)?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(NEITHER);
    }
    let (authority, target) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // To a browser `\\` begins the path. Such a URL is on no request line, so it is not guessed at.
    if authority.is_empty() || authority.contains(['\\', '\t', '\n', '\r']) {
        return Err(VerifyError::Target("its host cannot be read"));
    }
    Ok(target)
}
