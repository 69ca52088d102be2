//! The values of a parameter that can be given more than once.

/// One value of a list parameter, or several: what a setter of such a parameter takes.
///
/// Made of a value, an array, a slice or a `Vec`; of anything else by `collect`.
///
/// ```
/// # fn list(client: dintero::Client, orders: Vec<dintero::TransactionId>) {
/// use dintero::OneOrMany;
/// use dintero::types::TransactionStatus::{Authorized, Captured};
///
/// let request = client.transactions().list().status(Captured);
/// let request = client.transactions().list().status([Captured, Authorized]).store_id("oslo");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(Vec<T>);

impl<T> IntoIterator for OneOrMany<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> FromIterator<T> for OneOrMany<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> From<T> for OneOrMany<T> {
    fn from(value: T) -> Self {
        Self(vec![value])
    }
}

impl<T: Clone> From<&T> for OneOrMany<T> {
    fn from(value: &T) -> Self {
        Self(vec![value.clone()])
    }
}

impl<T> From<Vec<T>> for OneOrMany<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T, const N: usize> From<[T; N]> for OneOrMany<T> {
    fn from(values: [T; N]) -> Self {
        Self(values.into())
    }
}

impl<T: Clone> From<&[T]> for OneOrMany<T> {
    fn from(values: &[T]) -> Self {
        Self(values.to_vec())
    }
}

impl From<&str> for OneOrMany<String> {
    fn from(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }
}

impl<const N: usize> From<[&str; N]> for OneOrMany<String> {
    fn from(texts: [&str; N]) -> Self {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}

impl From<Vec<&str>> for OneOrMany<String> {
    fn from(texts: Vec<&str>) -> Self {
        texts.into_iter().map(str::to_owned).collect()
    }
}
