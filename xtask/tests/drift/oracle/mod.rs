//! A second, simple reckoning of what an interface says: everything written out, one line per fact.
//!
//! It shares no code and no method with the comparison under test: it expands each document on its own, to the end, and
//! knows nothing of pairs, groups or rules. It is meant to be read, not to be fast. Reports are held against its lines in
//! [`crate::agreement`].

mod schemas;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::{Map, Value};

/// One fact of the interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) operation: String,
    pub(crate) direction: &'static str,
    pub(crate) place: String,
    pub(crate) path: String,
    pub(crate) fact: String,
}

/// Paths and facts below one schema. A schema says the same wherever it stands, so it is written out once.
type Facts = Rc<BTreeSet<(String, String)>>;

/// An operation, a direction and a place in it.
type Root = (String, &'static str, String);

/// A path and a fact that one side lacks, and whether the newer one has it.
type Differing = (String, String, bool);

/// Every fact of a document.
pub(crate) struct Flattened {
    roots: BTreeMap<Root, Vec<Facts>>,
}

impl Flattened {
    pub(crate) fn of(document: &Value) -> Self {
        let mut flat = Flat {
            document,
            roots: BTreeMap::new(),
            known: HashMap::new(),
            root: (String::new(), "both", String::new()),
        };
        for (path, item) in members(&document["paths"]) {
            for method in ["get", "put", "post", "delete", "options", "head", "patch", "trace"] {
                if item.get(method).is_some() {
                    flat.operation(path, method, item);
                }
            }
        }
        Self { roots: flat.roots }
    }
}

/// The lines that only one of two documents has, and whether it is the newer one.
pub(crate) fn difference(old: &Flattened, new: &Flattened) -> Vec<(Line, bool)> {
    let mut known: HashMap<(Vec<usize>, Vec<usize>), Vec<Differing>> = HashMap::new();
    let mut found = Vec::new();
    let roots: BTreeSet<&Root> = old.roots.keys().chain(new.roots.keys()).collect();
    for root in roots {
        let side = |side: &Flattened| side.roots.get(root).cloned().unwrap_or_default();
        let (before, after) = (side(old), side(new));
        let key = |facts: &[Facts]| facts.iter().map(|facts| Rc::as_ptr(facts) as usize).collect::<Vec<_>>();
        let lines = known.entry((key(&before), key(&after))).or_insert_with(|| {
            let all = |facts: &[Facts]| facts.iter().flat_map(|facts| facts.iter().cloned()).collect::<BTreeSet<_>>();
            let (before, after) = (all(&before), all(&after));
            let gone = before.difference(&after).map(|(path, fact)| (path.clone(), fact.clone(), false));
            let come = after.difference(&before).map(|(path, fact)| (path.clone(), fact.clone(), true));
            gone.chain(come).collect()
        });
        let (operation, direction, place) = root;
        found.extend(lines.iter().map(|(path, fact, newer)| {
            let (operation, place, path, fact) = (operation.clone(), place.clone(), path.clone(), fact.clone());
            (Line { operation, direction, place, path, fact }, *newer)
        }));
    }
    found
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn on(value: &Value, key: &str) -> bool {
    value[key] == Value::Bool(true)
}

fn sorted(value: &Value) -> String {
    // The default map of `serde_json` keeps no order of its own; going through a sorted one settles it.
    fn settle(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let map: BTreeMap<_, _> = map.iter().map(|(key, child)| (key.clone(), settle(child))).collect();
                Value::Object(map.into_iter().collect::<Map<_, _>>())
            }
            Value::Array(items) => items.iter().map(settle).collect(),
            other => other.clone(),
        }
    }
    settle(value).to_string()
}

struct Flat<'d> {
    document: &'d Value,
    roots: BTreeMap<Root, Vec<Facts>>,
    known: HashMap<Vec<usize>, Facts>,
    root: Root,
}

impl<'d> Flat<'d> {
    /// A fact of the root itself, outside of any schema.
    fn say(&mut self, fact: impl Into<String>) {
        let facts = Rc::new(BTreeSet::from([(String::new(), fact.into())]));
        self.roots.entry(self.root.clone()).or_default().push(facts);
    }

    fn schema(&mut self, schema: &'d Value) {
        let below = self.facts(&[schema], 0);
        let facts = below.iter().map(|(path, fact)| (format!("${path}"), fact.clone())).collect();
        self.roots.entry(self.root.clone()).or_default().push(Rc::new(facts));
    }

    fn at(&mut self, direction: &'static str, place: impl Into<String>) {
        self.root.1 = direction;
        self.root.2 = place.into();
    }

    fn deref(&self, value: &'d Value) -> &'d Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(target) => self.deref(self.document.pointer(&target[1..]).expect("the reference leads somewhere")),
            None => value,
        }
    }

    fn operation(&mut self, path: &str, method: &str, item: &'d Value) {
        let operation = &item[method];
        self.root.0 = format!("{} {path}", method.to_uppercase());
        self.at("both", "");
        self.say("operation");
        if let Some(id) = operation["operationId"].as_str() {
            self.say(format!("operationId={id}"));
        }
        if on(operation, "deprecated") {
            self.say("deprecated");
        }
        self.at("request", "");
        let security = operation.get("security").unwrap_or(&self.document["security"]);
        for alternative in elements(security) {
            let schemes = members(alternative).map(|(name, scopes)| {
                let scheme = &self.document["components"]["securitySchemes"][name];
                let scheme: Map<String, Value> = members(scheme)
                    .filter(|(key, _)| *key != "description")
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect();
                format!("{} {}", sorted(&Value::Object(scheme)), sorted(scopes))
            });
            let schemes = schemes.collect::<BTreeSet<_>>();
            self.say(format!("security={schemes:?}"));
        }
        for holder in [operation, item, self.document] {
            if elements(&holder["servers"]).next().is_some() {
                for server in elements(&holder["servers"]) {
                    self.say(format!("server={}", server["url"].as_str().unwrap_or_default()));
                }
                break;
            }
        }
        let mut parameters = BTreeMap::new();
        for parameter in elements(&item["parameters"]).chain(elements(&operation["parameters"])) {
            let parameter = self.deref(parameter);
            parameters.insert(place_of(parameter), parameter);
        }
        for (place, parameter) in parameters {
            self.at("request", place);
            self.say("parameter");
            self.parameter(parameter, parameter["in"].as_str().unwrap_or_default());
        }
        if let Some(body) = operation.get("requestBody") {
            let body = self.deref(body);
            self.at("request", "body");
            self.say("body");
            if on(body, "required") {
                self.say("required");
            }
            self.media("request", "body", body);
        }
        for (status, response) in members(&operation["responses"]) {
            let status = &status.to_uppercase();
            let response = self.deref(response);
            self.at("response", status.clone());
            self.say("status");
            self.media("response", status, response);
            for (name, header) in members(&response["headers"]) {
                self.at("response", format!("{status} header {}", name.to_lowercase()));
                self.say("header");
                self.parameter(self.deref(header), "header");
            }
        }
    }

    fn parameter(&mut self, parameter: &'d Value, location: &str) {
        if on(parameter, "required") || location == "path" {
            self.say("required");
        }
        for flag in ["deprecated", "allowReserved", "allowEmptyValue"] {
            if on(parameter, flag) {
                self.say(flag);
            }
        }
        let form = matches!(location, "query" | "cookie");
        let style = parameter["style"].as_str().unwrap_or(if form { "form" } else { "simple" });
        self.say(format!("style={style}"));
        if parameter["explode"].as_bool().unwrap_or(style == "form") {
            self.say("explode");
        }
        if let Some(schema) = parameter.get("schema") {
            self.schema(schema);
        }
    }

    fn media(&mut self, direction: &'static str, place: &str, holder: &'d Value) {
        for (name, media) in members(&holder["content"]) {
            self.at(direction, format!("{place} {name}"));
            self.say("media");
            if let Some(encoding) = media.get("encoding") {
                self.say(format!("encoding={}", sorted(encoding)));
            }
            if let Some(schema) = media.get("schema") {
                self.schema(schema);
            }
        }
    }
}

fn place_of(parameter: &Value) -> String {
    let (location, name) =
        (parameter["in"].as_str().unwrap_or_default(), parameter["name"].as_str().unwrap_or_default());
    let name = if location == "header" { name.to_lowercase() } else { name.to_owned() };
    format!("{location} {name}")
}
