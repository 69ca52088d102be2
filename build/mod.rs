//! From `spec/dintero.json` to the bindings.
//!
//! - [`model`]: the surface as data, [`surface`]: read from the document, with the [`names`] and types ([`rust`]) it has;
//! - [`generator`] and [`structs`]: the client and the structs, by progenitor, compared with the model;
//! - [`reading`] and [`debug`]: how the structs are read, and what is printed of them, as a [`table`] each;
//! - [`construct`] with [`builder`], [`enums`], [`operations`], [`requests`] with [`groups`], [`paging`] and [`toggles`]:
//!   what is made of the model beside it.
//!
//! Names, descriptions and repairs are decided in `spec/` and `xtask`; here they are only read. `cargo xtask` includes
//! these modules, so that what it measures and checks is what gets built.

pub mod builder;
pub mod construct;
pub mod debug;
pub mod enums;
pub mod generator;
pub mod groups;
pub mod model;
pub mod names;
pub mod operations;
pub mod paging;
pub mod reading;
pub mod requests;
pub mod rust;
pub mod structs;
pub mod surface;
pub mod table;
pub mod toggles;

use model::Surface;

/// What is generated from one document.
#[derive(Debug)]
pub struct Bindings {
    /// What is in it.
    pub surface: Surface,
    /// The files, by their names.
    pub files: Vec<(String, String)>,
}

impl Bindings {
    /// The lines of the generated code.
    pub fn lines(&self) -> usize {
        self.files.iter().filter(|(name, _)| name.ends_with(".rs")).map(|(_, text)| text.lines().count()).sum()
    }
}

/// The file that holds the model.
pub const SURFACE: &str = "surface.json";

/// Generates the bindings.
///
/// # Errors
/// Names the schema or the operation that the generator refuses, or made otherwise than the model has it.
pub fn generate(text: &str, schemars: bool) -> Result<Bindings, String> {
    let document: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let surface = surface::read(&document)?;
    let (client, types) = structs::finish(generator::client(&document, &surface, schemars)?, &surface, schemars)?;
    let format =
        |tokens| syn::parse2(tokens).map(|file| prettyplease::unparse(&file)).map_err(|error| error.to_string());
    let files = [
        ("client.rs", prettyplease::unparse(&client)),
        ("types.rs", prettyplease::unparse(&types)),
        ("construct.rs", format(construct::all(&surface)?)?),
        ("reading.rs", reading::all(&surface)),
        ("debug.rs", debug::all(&surface)),
        ("builders.rs", builder::builders(&surface)),
        ("enums.rs", enums::enums(&surface)),
        ("choices.rs", enums::choices(&surface)),
        ("operations.rs", format(operations::operations(&surface))?),
        ("requests.rs", format(requests::requests(&surface)?)?),
        ("roots.rs", roots(&surface)),
        (SURFACE, serde_json::to_string(&surface).map_err(|error| error.to_string())?),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into();
    Ok(Bindings { surface, files })
}

/// The types that calls send or give, as arguments of a macro: what tests walk through, since all others are in them.
fn roots(surface: &Surface) -> String {
    let sent = surface.calls.iter().filter_map(|call| call.request.as_deref());
    let given = surface.calls.iter().map(|call| call.response.target.as_str());
    let names: std::collections::BTreeSet<&str> = sent.chain(given).collect();
    format!("roots! {{ {} }}\n", names.into_iter().collect::<Vec<_>>().join(" "))
}
