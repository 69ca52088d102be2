//! Where something that is gone most likely went: the most alike of what has no name yet.

/// Less alike than this is no hint.
const LEAST: f32 = 0.5;

/// ` (perhaps X now)`, or nothing.
#[must_use]
pub fn hint<'a>(gone: &str, among: impl IntoIterator<Item = &'a str>) -> String {
    let last = |address: &str| address.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
    let score = |known: &str| {
        let alike = similar::TextDiff::from_chars(gone, known).ratio();
        // The same thing somewhere else is likelier than something else in the same place.
        if last(gone) == last(known) { alike + 0.5 } else { alike }
    };
    let best = among.into_iter().map(|known| (score(known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, known)) if score >= LEAST => format!(" (perhaps {known} now)"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_the_same_elsewhere_goes_before_what_is_spelled_alike() {
        let known = ["Transaction.cards", "Payment.card", "Session.url"];
        assert_eq!(hint("Transaction.card", known), " (perhaps Payment.card now)");
        assert_eq!(hint("Card.terminl_id", ["Card.terminal_id", "Card.x"]), " (perhaps Card.terminal_id now)");
        assert_eq!(hint("Card.eci", ["Zzz.qqq"]), "");
    }
}
