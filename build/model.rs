//! The generated surface as data: every type, field, call and parameter that users of the crate see.
//!
//! [`super::surface`] makes it of the document. All generated code is made of it, and whoever asks what the crate offers
//! (statistics, snapshots, time travel, drift) reads it: nobody parses generated code. `build.rs` writes it to
//! `OUT_DIR/surface.json`.

use serde::{Deserialize, Serialize};

/// All that is generated from one document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// The types, by name.
    pub types: Vec<Type>,
    /// The calls, in the order of path and method.
    pub calls: Vec<Call>,
}

impl Surface {
    /// The type of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Type> {
        let index = self.types.binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
        self.types.get(index)
    }
}

/// A public type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Type {
    /// Its Rust name, which is the name of the schema.
    pub name: String,
    /// What it stands for.
    pub doc: String,
    /// Where it occurs.
    pub direction: Direction,
    /// What it consists of.
    pub shape: Shape,
}

/// Whether a type is sent, received, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Only requests hold it.
    Request,
    /// Only responses hold it.
    Response,
    /// Requests and responses hold it.
    Both,
}

impl Direction {
    /// Whether a request can hold it.
    #[must_use]
    pub fn is_sent(self) -> bool {
        self != Self::Response
    }
}

/// What a type consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// An object.
    Struct {
        /// Its fields, in the order of their names in JSON.
        fields: Vec<Field>,
        /// Whether fields that nobody knows are kept in a field `extra`.
        keeps_unknown: bool,
        /// How it is made.
        construct: Construct,
        /// The type whose values it states again, so that it is made of one.
        restates: Option<String>,
    },
    /// One of several texts, or an unknown one.
    Enum {
        /// The known values.
        values: Vec<Value>,
    },
    /// A choice between objects, told apart by the text of one property.
    Choice {
        /// The property.
        property: String,
        /// The known objects.
        variants: Vec<Variant>,
    },
    /// A handwritten type.
    Provided {
        /// Its path in the crate.
        path: String,
    },
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in JSON.
    pub json: String,
    /// Its name in Rust.
    pub rust: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be left out.
    pub presence: Presence,
    /// Whether what it holds is on the heap.
    pub boxed: bool,
    /// Whether `Debug` shows its value.
    #[serde(default)]
    pub printed: bool,
    /// The method that sets it; none where the type has no setters.
    pub setter: Option<String>,
    /// What it means.
    pub doc: String,
}

/// Whether a field may be left out, and what it then is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is always there.
    Required,
    /// It is an `Option`.
    Optional,
    /// It is an empty list or map.
    Defaulted,
}

/// How an object is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Construct {
    /// Not at all: only the service makes it.
    None,
    /// By `new`, which takes these fields.
    New {
        /// Rust names of fields, in the order of the arguments.
        arguments: Vec<String>,
    },
    /// By `builder`, which asks for these fields by name.
    Builder {
        /// Rust names of fields.
        fields: Vec<String>,
    },
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The text.
    pub json: String,
    /// The variant.
    pub rust: String,
}

/// One of the objects of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// What the property says.
    pub tag: String,
    /// The variant.
    pub rust: String,
    /// The type of the object.
    pub target: String,
}

/// What a field or a parameter holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A point in time.
    Time,
    /// A day.
    Date,
    /// Any JSON.
    Json,
    /// Any JSON object.
    JsonObject,
    /// A list.
    List(Box<Kind>),
    /// Values by text.
    Map(Box<Kind>),
    /// A type of the surface.
    Type(String),
}

/// One operation of the interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The operation id, such as `capture_transaction`.
    pub id: String,
    /// The id as a type or variant is spelled.
    pub variant: String,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path template below the base URL.
    pub path: String,
    /// Whether it only reads, so that sending it twice does no harm.
    pub reads_only: bool,
    /// Which part of the client makes it, `transactions` for example.
    pub group: String,
    /// The method of that part.
    pub name: String,
    /// What it does.
    pub doc: String,
    /// A program that makes it: Rust in an async function that has a `client`.
    #[serde(default)]
    pub example: String,
    /// The parameters of the path, in its order.
    pub path_params: Vec<Param>,
    /// The parameters of the query, by name.
    pub query: Vec<Param>,
    /// The type of the request's body.
    pub request: Option<String>,
    /// What a success holds.
    pub response: Response,
    /// The type of the feature toggles it takes.
    pub toggles: Option<String>,
    /// What a request has to keep; see `src/check`.
    pub checks: Option<serde_json::Value>,
    /// Whether the client does more than to send it.
    pub policy: bool,
    /// What the client makes of the response, a type of its own; else the response as it is.
    pub result: Option<String>,
    /// How a list goes on.
    pub paging: Option<Paging>,
}

/// How a list goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// The parameter that names the row to begin after.
    pub cursor: String,
    /// The parameter that says how many rows a page has.
    pub limit: String,
    /// The field of a row that the cursor names it by.
    pub row_id: String,
    /// How many rows a page can have.
    pub longest: i64,
}

/// A parameter of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name on the wire.
    pub name: String,
    /// Its name in Rust.
    pub rust: String,
    /// The method of the request that sets it, where it may be left out.
    pub setter: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it has to be given.
    pub required: bool,
    /// What it means.
    pub doc: String,
}

/// What a successful call gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The type.
    pub target: String,
    /// Whether it is a list of them.
    pub list: bool,
}
