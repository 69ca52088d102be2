//! Ways through a value: `$.items[].name`, `.*` for any property without a name of its own, `<x>` for the alternative or
//! discriminator value `x`.

/// A step from a schema to one inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a property.
    Property(String),
    /// Into every element.
    Items,
    /// Into every property without a name of its own.
    Additional,
    /// Into an alternative, by label, or what a discriminator's value stands for.
    Variant(String),
}

impl Step {
    /// Adds the step to a path.
    pub fn push_to(&self, path: &mut String) {
        match self {
            Self::Property(name) => {
                let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !name.starts_with(|c: char| c.is_ascii_digit())
                    && !name.is_empty();
                if plain {
                    path.push('.');
                    path.push_str(name);
                } else {
                    path.push_str("['");
                    path.push_str(&name.replace('\\', "\\\\").replace('\'', "\\'"));
                    path.push_str("']");
                }
            }
            Self::Items => path.push_str("[]"),
            Self::Additional => path.push_str(".*"),
            Self::Variant(label) => {
                path.push('<');
                path.push_str(label);
                path.push('>');
            }
        }
    }
}

/// Reads what [`Step::push_to`] wrote, without the `$` before it.
#[must_use]
pub fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path;
    let mut found = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[]") {
            found.push(Step::Items);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(".*") {
            found.push(Step::Additional);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("['") {
            let (name, after) = after.split_once("']")?;
            found.push(Step::Property(name.replace("\\'", "'").replace("\\\\", "\\")));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('<') {
            let (label, after) = after.split_once('>')?;
            found.push(Step::Variant(label.to_owned()));
            rest = after;
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[', '<']).unwrap_or(after.len());
            let (name, after) = after.split_at_checked(end)?;
            if name.is_empty() {
                return None;
            }
            found.push(Step::Property(name.to_owned()));
            rest = after;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_back() {
        let written = ".a_1[]['x:y.z'].*<payex.creditcard>";
        let read = steps(written).unwrap();
        assert_eq!(read[2], Step::Property("x:y.z".to_owned()));
        let mut again = String::new();
        read.iter().for_each(|step| step.push_to(&mut again));
        assert_eq!(again, written);
        assert_eq!(steps("no.dot"), None);
    }
}
