//! The rules: a kind of change, the thing it happens to, and the direction, put together in an id.
//!
//! An id reads `request-property-became-required`. A change in a schema that both requests and responses use is one
//! change, whose id has no direction: `property-became-required`. The kinds are in `kind`, the verdicts of each rule in
//! [`super::verdict`].

use super::kind::suffix;
pub use super::kind::{Additional, Edit, Flag, Kind, Move};

/// The thing a change happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noun {
    /// Anything inside a body: a property, an element of an array.
    Property,
    /// A whole body.
    Body,
    /// A parameter and everything in it.
    Parameter,
    /// A response header and everything in it.
    Header,
    /// An operation.
    Endpoint,
}

impl Noun {
    const fn slug(self) -> &'static str {
        match self {
            Self::Property => "property",
            Self::Body => "body",
            Self::Parameter => "parameter",
            Self::Header => "header",
            Self::Endpoint => "endpoint",
        }
    }
}

/// Which way the data goes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the caller to the service.
    Request,
    /// From the service to the caller.
    Response,
    /// Both ways, or a change of the operation itself.
    Both,
}

impl Direction {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Request => "request-",
            Self::Response => "response-",
            Self::Both => "",
        }
    }
}

/// A rule: what happened to what, in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// What happened.
    pub kind: Kind,
    /// To what.
    pub noun: Noun,
    /// In which direction.
    pub direction: Direction,
}

impl Rule {
    /// The id, which never changes once published.
    #[must_use]
    pub fn id(&self) -> String {
        let Self { kind, noun, direction } = self;
        let (prefix, noun) = (direction.prefix(), noun.slug());
        match kind {
            Kind::Member { edit, required } => {
                format!("{prefix}{}-{noun}-{}", if *required { "required" } else { "optional" }, edit.slug())
            }
            Kind::Status { edit, success } => {
                format!("response-{}-status-{}", if *success { "success" } else { "non-success" }, edit.slug())
            }
            Kind::Path(edit) => format!("api-path-{}", edit.slug()),
            Kind::Operation(edit) => format!("api-operation-{}", edit.slug()),
            Kind::OperationId(edit) => format!("api-operation-id-{}", edit.slug()),
            Kind::Security(edit) => format!("api-security-{}", edit.slug()),
            Kind::SecurityAlternative(edit) => format!("api-security-alternative-{}", edit.slug()),
            Kind::Server(edit) => format!("api-server-{}", edit.slug()),
            kind => format!("{prefix}{noun}-{}", suffix(*kind)),
        }
    }

    /// The rule that the same two documents, exchanged, break.
    #[must_use]
    pub const fn mirror(&self) -> Self {
        Self { kind: self.kind.mirror(), noun: self.noun, direction: self.direction }
    }

    /// Every rule there is, in the order of the documentation.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Direction::{Both, Request, Response};
        let mut rules = Vec::new();
        for kind in Kind::all() {
            for noun in [Noun::Property, Noun::Body, Noun::Parameter, Noun::Header, Noun::Endpoint] {
                let directions: &[Direction] = match noun {
                    Noun::Parameter => &[Request],
                    Noun::Header => &[Response],
                    Noun::Endpoint => match kind {
                        Kind::Security(_) | Kind::SecurityAlternative(_) | Kind::Server(_) => &[Request],
                        Kind::Status { .. } => &[Response],
                        _ => &[Both],
                    },
                    Noun::Body => match kind {
                        // Only a request has a body that can be left out, and only its parts are encoded.
                        Kind::Member { .. } | Kind::Required(_) | Kind::Encoding => &[Request],
                        // No component holds media types, so none is shared.
                        Kind::MediaType(_) => &[Request, Response],
                        _ => &[Request, Response, Both],
                    },
                    Noun::Property => &[Request, Response, Both],
                };
                if kind.happens_to(noun) {
                    rules.extend(directions.iter().map(|direction| Self { kind, noun, direction: *direction }));
                }
            }
        }
        rules
    }
}
