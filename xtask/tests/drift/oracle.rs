//! A second, simple reckoning of what an interface says: everything written out, one line per fact.
//!
//! It shares no code and no method with the comparison under test: it expands each document on its own, to the end, and
//! knows nothing of pairs, groups or rules. It is meant to be read, not to be fast. Reports are held against its lines in
//! [`crate::agreement`].

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

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.roots.values().flatten().map(|facts| facts.len()).sum()
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

    /// All objects that the schemas consist of, with references and parts written out.
    fn unfold(&self, schemas: &[&'d Value]) -> Vec<&'d Value> {
        let mut all: Vec<&Value> = Vec::new();
        let mut todo: Vec<&Value> = schemas.to_vec();
        while let Some(schema) = todo.pop() {
            let schema = self.deref(schema);
            if all.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            all.push(schema);
            todo.extend(elements(&schema["allOf"]));
            for key in ["oneOf", "anyOf"] {
                if let Some([only]) = schema[key].as_array().map(Vec::as_slice) {
                    todo.push(only);
                }
            }
        }
        all
    }

    fn null_allowed(&self, schema: &'d Value) -> Option<bool> {
        let schema = self.deref(schema);
        if on(schema, "nullable") {
            return Some(true);
        }
        let mut votes: Vec<bool> = elements(&schema["allOf"]).filter_map(|part| self.null_allowed(part)).collect();
        if schema.get("type").is_some() {
            votes.push(false);
        }
        if votes.is_empty() { None } else { Some(votes.iter().all(|vote| *vote)) }
    }

    fn default_of(&self, schema: &'d Value, found: &mut BTreeSet<String>) {
        let schema = self.deref(schema);
        match schema.get("default") {
            Some(default) => {
                found.insert(sorted(default));
            }
            None => elements(&schema["allOf"]).for_each(|part| self.default_of(part, found)),
        }
    }

    /// What the schemas say together, with paths that start at them.
    fn facts(&mut self, schemas: &[&'d Value], depth: usize) -> Facts {
        assert!(depth < 40, "the documents of these tests do not nest so deeply");
        let mut key: Vec<usize> =
            schemas.iter().map(|schema| std::ptr::from_ref(self.deref(schema)) as usize).collect();
        key.sort_unstable();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let parts = self.unfold(schemas);
        let mut out = Out::default();
        self.values(schemas, &parts, &mut out);

        let mut names: BTreeMap<&str, (Vec<&Value>, bool)> = BTreeMap::new();
        for part in &parts {
            for (name, schema) in members(&part["properties"]) {
                names.entry(name).or_default().0.push(schema);
            }
            for name in elements(&part["required"]).filter_map(Value::as_str) {
                names.entry(name).or_default().1 = true;
            }
        }
        for (name, (schemas, required)) in names {
            let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let plain = letters && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
            let path = if plain { format!(".{name}") } else { format!("['{name}']") };
            if required {
                out.say(&path, "required");
            }
            if !schemas.is_empty() {
                out.say(&path, "described");
                let facts = self.facts(&schemas, depth + 1);
                out.below(&path, &facts);
            }
        }
        let items: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
        let facts = if items.is_empty() { Facts::default() } else { self.facts(&items, depth + 1) };
        if !facts.is_empty() {
            out.say("[]", "items");
            out.below("[]", &facts);
        }
        let rest: Vec<&Value> = parts.iter().filter_map(|part| part.get("additionalProperties")).collect();
        let typed: Vec<&Value> = rest.iter().copied().filter(|rest| rest.is_object()).collect();
        let facts = if typed.is_empty() { Facts::default() } else { self.facts(&typed, depth + 1) };
        if rest.contains(&&Value::Bool(false)) {
            out.say(".*", "additional=none");
        } else if !facts.is_empty() {
            out.say(".*", "additional=typed");
            out.below(".*", &facts);
        }
        self.choices(&parts, &mut out, depth);
        let facts = Rc::new(out.lines);
        self.known.insert(key, facts.clone());
        facts
    }

    fn values(&self, schemas: &[&'d Value], parts: &[&'d Value], out: &mut Out) {
        let types: Vec<&str> = parts.iter().filter_map(|part| part["type"].as_str()).collect();
        let mut left: BTreeSet<&str> = types.iter().copied().collect();
        if left.contains("integer") {
            left.remove("number");
        }
        if !left.is_empty() {
            let names = left.into_iter().collect::<Vec<_>>();
            out.say("", format!("type={}", names.join("&")));
        }
        for key in ["format", "pattern"] {
            let texts: BTreeSet<&str> = parts.iter().filter_map(|part| part[key].as_str()).collect();
            if !texts.is_empty() {
                out.say("", format!("{key}={texts:?}"));
            }
        }
        for (key, exclusive, upper) in [
            ("maximum", "exclusiveMaximum", true),
            ("minimum", "exclusiveMinimum", false),
            ("maxLength", "", true),
            ("minLength", "", false),
            ("maxItems", "", true),
            ("minItems", "", false),
            ("maxProperties", "", true),
            ("minProperties", "", false),
        ] {
            let bounds = parts.iter().filter_map(|part| {
                let at = part[key].as_f64()?;
                // Half a step in or out is enough to tell the two kinds of bound apart.
                let nudge = if on(part, exclusive) { 0.25 } else { 0.0 };
                Some(if upper { at - nudge } else { at + nudge })
            });
            let bounds = bounds.filter(|at| !(exclusive.is_empty() && !upper && *at == 0.0));
            let tightest = bounds.reduce(|a, b| if upper { a.min(b) } else { a.max(b) });
            if let Some(at) = tightest {
                out.say("", format!("{key}={at}"));
            }
        }
        for flag in ["readOnly", "writeOnly", "deprecated", "uniqueItems"] {
            if parts.iter().any(|part| on(part, flag)) {
                out.say("", flag);
            }
        }
        for key in ["multipleOf", "not"] {
            let texts: BTreeSet<String> = parts.iter().filter_map(|part| part.get(key)).map(sorted).collect();
            if !texts.is_empty() {
                out.say("", format!("{key}={texts:?}"));
            }
        }
        let votes: Vec<bool> = schemas.iter().filter_map(|schema| self.null_allowed(schema)).collect();
        if !votes.is_empty() && votes.iter().all(|vote| *vote) {
            out.say("", "nullable");
        }
        let mut defaults = BTreeSet::new();
        schemas.iter().for_each(|schema| self.default_of(schema, &mut defaults));
        if !defaults.is_empty() {
            out.say("", format!("default={defaults:?}"));
        }
        // The lists of several parts are one: what one of them has, the service sends.
        let enums: Vec<&Vec<Value>> = parts.iter().filter_map(|part| part["enum"].as_array()).collect();
        if !enums.is_empty() {
            out.say("", "enum");
        }
        for value in enums.into_iter().flatten() {
            out.say("", format!("enum={}", sorted(value)));
        }
    }

    fn choices(&mut self, parts: &[&'d Value], out: &mut Out, depth: usize) {
        for part in parts {
            let mapping = &part["discriminator"]["mapping"];
            if part.get("discriminator").is_some() {
                let targets: Vec<(&String, &Value)> = members(mapping)
                    .map(|(value, target)| {
                        let pointer = target.as_str().unwrap_or_default().trim_start_matches('#');
                        (value, self.document.pointer(pointer).expect("the mapping leads somewhere"))
                    })
                    .collect();
                // A child that takes its parent in is not expanded into its siblings again.
                if targets.iter().any(|(_, target)| parts.iter().any(|part| std::ptr::eq(*part, *target))) {
                    continue;
                }
                out.say("", format!("discriminator={}", part["discriminator"]["propertyName"]));
                for (value, target) in targets {
                    let path = format!("<{value}>");
                    out.say(&path, "mapping");
                    let facts = self.facts(&[target], depth + 1);
                    out.below(&path, &facts);
                }
                continue;
            }
            for key in ["oneOf", "anyOf"] {
                let alternatives: Vec<&Value> = elements(&part[key]).collect();
                if alternatives.len() < 2 {
                    continue;
                }
                out.say("", format!("choice={key}"));
                for alternative in alternatives {
                    let types = self.unfold(&[alternative]);
                    let label = types.iter().find_map(|part| part["type"].as_str()).unwrap_or("any");
                    let path = format!("<{label}>");
                    out.say(&path, "alternative");
                    let facts = self.facts(&[alternative], depth + 1);
                    out.below(&path, &facts);
                }
            }
        }
    }
}

/// Facts while they are collected.
#[derive(Default)]
struct Out {
    lines: BTreeSet<(String, String)>,
}

impl Out {
    fn say(&mut self, path: &str, fact: impl Into<String>) {
        self.lines.insert((path.to_owned(), fact.into()));
    }

    fn below(&mut self, path: &str, facts: &Facts) {
        self.lines.extend(facts.iter().map(|(rest, fact)| (format!("{path}{rest}"), fact.clone())));
    }
}

fn place_of(parameter: &Value) -> String {
    let (location, name) =
        (parameter["in"].as_str().unwrap_or_default(), parameter["name"].as_str().unwrap_or_default());
    let name = if location == "header" { name.to_lowercase() } else { name.to_owned() };
    format!("{location} {name}")
}
