//! Reading a tree again and again, each time without the field at which the last reading stopped.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::path::{JsonPath, Step};
use super::{Read, SetAside, Unreadable};

/// More than this many troubles in one value and it is not what it is taken for.
const MOST: usize = 1_000;

/// Fields that are never set aside where a type requires them.
const MONEY: [&str; 2] = ["amount", "currency"];

/// Reads `tree`, changing it as far as needed. Paths are reported below `base`.
pub(super) fn read<T: DeserializeOwned>(tree: &mut Value, base: &JsonPath) -> Result<Read<T>, Unreadable> {
    let mut removed = Removed::default();
    // The first trouble is what the error names: later ones may only be its consequences.
    let mut last: Option<Trouble> = None;
    for _ in 0..MOST {
        let trouble = match serde_path_to_error::deserialize::<_, T>(&*tree) {
            Ok(value) => return Ok(Read { value, set_aside: removed.report(base) }),
            Err(error) => Trouble::new(&error),
        };
        let lost = removed.take_back(tree, &trouble);
        let step = match &trouble.missing {
            Some(field) if MONEY.contains(&field.as_str()) => {
                let cause = lost.filter(|cause| cause.path.last_field() == Some(field));
                let (path, problem) = match cause {
                    Some(cause) => (base.below(&cause.path.0), format!("expected {}", cause.expected)),
                    None => {
                        let at = base.below(&removed.original(&trouble.steps));
                        (at.field(field.clone()), "it is missing".to_owned())
                    }
                };
                return Err(Unreadable { path, problem });
            }
            Some(field) => remove(tree, &trouble, &format!("an object with `{field}`"), &mut removed),
            None => mend(tree, &trouble, &mut removed),
        };
        if step.is_none() {
            // What the whole is worthless without may have been there, and been something else.
            let (steps, problem) = match lost {
                Some(cause) => (cause.path.0, format!("expected {}", cause.expected)),
                None => (removed.original(&trouble.steps), trouble.problem()),
            };
            return Err(Unreadable { path: base.below(&steps), problem });
        }
        last = Some(trouble);
    }
    let path = last.map_or_else(|| base.clone(), |trouble| base.below(&removed.original(&trouble.steps)));
    Err(Unreadable { path, problem: format!("more than {MOST} fields are not what they should be") })
}

/// Where and why reading stopped.
struct Trouble {
    /// The place in the tree as it is now.
    steps: Vec<Step>,
    /// The field that an object at the place is worthless without, if that is the trouble.
    missing: Option<String>,
    /// What was expected at the place.
    expected: String,
}

impl Trouble {
    fn new(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let steps = error.path().iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        // Only what follows "expected" is ours; what stands before it quotes the answer.
        let expected = message.rsplit_once("expected ").map_or("something else", |(_, expected)| expected);
        Self {
            steps: steps.collect(),
            missing: missing.map(str::to_owned),
            expected: expected.split(" at line ").next().unwrap_or_default().to_owned(),
        }
    }

    fn problem(&self) -> String {
        match &self.missing {
            Some(field) => format!("`{field}` is missing"),
            None => format!("expected {}", self.expected),
        }
    }
}

/// Repairs the place where that loses nothing, else removes it. None when the place is the whole tree.
fn mend(tree: &mut Value, trouble: &Trouble, removed: &mut Removed) -> Option<()> {
    let node = find(tree, &trouble.steps)?;
    if trouble.expected.starts_with(['i', 'u']) {
        // `100.0` is 100, however the service chose to write it.
        if let Some(integer) = whole(node) {
            *node = integer.into();
            return Some(());
        }
    }
    if node.is_null() && matches!(trouble.steps.last(), Some(Step::Field(_))) {
        // `null` says that there is nothing: that is what leaving the field out says too.
        detach(tree, &trouble.steps)?;
        return Some(());
    }
    remove(tree, trouble, &trouble.expected, removed)
}

/// The integer that a JSON float stands for, where it is one exactly.
fn whole(node: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it floats skip integers.
    let float = node.as_f64().filter(|_| node.is_f64())?;
    let integer = (float.fract() == 0.0 && float.abs() <= EXACT).then(|| format!("{float:.0}"))?;
    integer.parse().ok()
}

fn remove(tree: &mut Value, trouble: &Trouble, expected: &str, removed: &mut Removed) -> Option<()> {
    let original = removed.original(&trouble.steps);
    removed.put_back(tree, &trouble.steps, &original);
    let value = detach(tree, &trouble.steps)?;
    removed.0.push(Gone { path: JsonPath(original), value, expected: expected.to_owned() });
    Some(())
}

fn find<'a>(tree: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    steps.iter().try_fold(tree, |node, step| match step {
        Step::Field(name) => node.get_mut(name),
        Step::Index(index) => node.get_mut(index),
    })
}

fn detach(tree: &mut Value, steps: &[Step]) -> Option<Value> {
    let (last, parents) = steps.split_last()?;
    match (find(tree, parents)?, last) {
        (Value::Object(map), Step::Field(name)) => map.remove(name),
        (Value::Array(items), Step::Index(index)) if *index < items.len() => Some(items.remove(*index)),
        _ => None,
    }
}

fn attach(tree: &mut Value, steps: &[Step], value: Value) {
    let Some((last, parents)) = steps.split_last() else { return };
    match (find(tree, parents), last) {
        (Some(Value::Object(map)), Step::Field(name)) => {
            map.insert(name.clone(), value);
        }
        (Some(Value::Array(items)), Step::Index(index)) => items.insert((*index).min(items.len()), value),
        _ => {}
    }
}

/// What has been taken out of the tree.
#[derive(Default)]
struct Removed(Vec<Gone>);

struct Gone {
    /// Where it stood before anything was taken out.
    path: JsonPath,
    value: Value,
    expected: String,
}

impl Removed {
    /// A place of the tree as it is now, as a place of the tree as it came: entries that are gone count again.
    fn original(&self, steps: &[Step]) -> Vec<Step> {
        let mut out: Vec<Step> = Vec::with_capacity(steps.len());
        for step in steps {
            let step = match step {
                Step::Field(name) => Step::Field(name.clone()),
                Step::Index(index) => {
                    let mut gone: Vec<usize> = self.0.iter().filter_map(|gone| gone.index_in(&out)).collect();
                    gone.sort_unstable();
                    Step::Index(
                        gone.into_iter().fold(*index, |index, gone| if gone <= index { index + 1 } else { index }),
                    )
                }
            };
            out.push(step);
        }
        out
    }

    /// When an object is unreadable for want of a field that was just taken out of it, puts what was taken out of the
    /// object back, so that it is set aside whole, and returns the field's own trouble.
    fn take_back(&mut self, tree: &mut Value, trouble: &Trouble) -> Option<Gone> {
        let missing = trouble.missing.as_deref()?;
        let object = self.original(&trouble.steps);
        let mut cause = None;
        let mut kept = Vec::new();
        for gone in std::mem::take(&mut self.0) {
            let inside = gone.path.0.len() == object.len() + 1 && gone.path.0.starts_with(&object);
            match (inside, gone.path.0.last()) {
                (true, Some(Step::Field(name))) => {
                    if let Some(Value::Object(map)) = find(tree, &trouble.steps) {
                        map.insert(name.clone(), gone.value.clone());
                    }
                    if name == missing {
                        cause = Some(gone);
                    }
                }
                _ => kept.push(gone),
            }
        }
        self.0 = kept;
        cause
    }

    /// Puts back what was taken out of the value at a place, because the value as a whole is now to be set aside.
    fn put_back(&mut self, tree: &mut Value, steps: &[Step], original: &[Step]) {
        let is_inside = |gone: &Gone| gone.path.0.len() > original.len() && gone.path.0.starts_with(original);
        let (mut inside, kept): (Vec<Gone>, Vec<Gone>) = std::mem::take(&mut self.0).into_iter().partition(is_inside);
        self.0 = kept;
        // In the order of their places, so that the entries of a list find their numbers.
        inside.sort_by(|one, other| one.path.cmp(&other.path));
        for gone in inside {
            let below = gone.path.0.get(original.len()..).unwrap_or_default();
            let place: Vec<Step> = steps.iter().chain(below).cloned().collect();
            attach(tree, &place, gone.value);
        }
    }

    fn report(self, base: &JsonPath) -> Vec<SetAside> {
        let mut out: Vec<SetAside> = self
            .0
            .into_iter()
            .map(|gone| SetAside { path: base.below(&gone.path.0), value: gone.value, expected: gone.expected })
            .collect();
        out.sort_by(|one, other| one.path.cmp(&other.path));
        out
    }
}

impl Gone {
    /// The index of this entry in the list at `list`, if it was one of its entries.
    fn index_in(&self, list: &[Step]) -> Option<usize> {
        match self.path.0.split_last() {
            Some((Step::Index(index), parents)) if parents == list => Some(*index),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;
