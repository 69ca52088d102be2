//! Which hosts are this machine, and so may be reached in plain `http`.

use url::{Host, Url};

/// Whether a URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // Names below it are left out: not every resolver keeps those to this machine.
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_resolver_keeps_here_is_this_machine() {
        let is = |url: &str| is_loopback(&Url::parse(url).unwrap());
        for url in
            ["http://localhost/", "http://LOCALHOST:1/", "http://127.0.0.1/", "http://127.9.9.9/", "http://[::1]/"]
        {
            assert!(is(url), "{url}");
        }
        for url in [
            "http://a.localhost/",
            "http://localhost.example/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:7f00:2]/",
            "data:localhost",
        ] {
            assert!(!is(url), "{url}");
        }
    }
}
