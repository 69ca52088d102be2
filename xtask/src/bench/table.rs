//! The table.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Where the table stands in the document.
const MARKS: (&str, &str) = ("<!-- the table of `cargo xtask bench --write` -->\n", "<!-- its end -->\n");

/// A figure, and what it is held against. Less is better.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub(super) figure: String,
    pub(super) unit: String,
    pub(super) ours: f64,
    pub(super) other: Option<f64>,
    pub(super) against: String,
    /// Ours by the other.
    pub(super) ratio: Option<f64>,
    /// The most that the ratio may be; without one, the most that `ours` may be.
    pub(super) goal: Option<f64>,
}

impl Row {
    /// A row of a figure and another.
    pub(super) fn beside(figure: impl Into<String>, unit: &str, ours: f64, against: &str, other: f64) -> Self {
        let ratio = Some(ours / other);
        Self { other: Some(other), ratio, ..Self::alone(figure, unit, ours, against) }
    }

    /// A figure by itself.
    pub(super) fn alone(figure: impl Into<String>, unit: &str, ours: f64, against: &str) -> Self {
        let (figure, unit, against) = (figure.into(), unit.to_owned(), against.to_owned());
        Self { figure, unit, ours, other: None, against, ratio: None, goal: None }
    }

    pub(super) fn goal(self, goal: f64) -> Self {
        Self { goal: Some(goal), ..self }
    }

    fn is_met(&self) -> Option<bool> {
        self.goal.map(|goal| self.ratio.unwrap_or(self.ours) <= goal)
    }
}

/// The rows as a table.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut table = "| figure | ours | beside | ratio | goal | |\n|---|---:|---|---:|---:|---|\n".to_owned();
    for row in rows {
        let cell = |value: Option<f64>| value.map(number).unwrap_or_default();
        let beside = match row.other {
            Some(other) => format!("{}: {}", row.against, with_unit(other, &row.unit)),
            None => row.against.clone(),
        };
        // A goal that is not a ratio is of the figure's own unit.
        let goal = row.goal.map(|goal| if row.ratio.is_some() { number(goal) } else { with_unit(goal, &row.unit) });
        let (ours, ratio) = (with_unit(row.ours, &row.unit), cell(row.ratio));
        let met = row.is_met().map_or("", |met| if met { "met" } else { "**missed**" });
        table += &format!("| {} | {ours} | {beside} | {ratio} | {} | {met} |\n", row.figure, goal.unwrap_or_default());
    }
    table
}

fn with_unit(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value)).trim().to_owned()
}

/// About three digits.
fn number(value: f64) -> String {
    match value.abs() {
        value if value >= 1000.0 || value == 0.0 => format!("{value:.0}"),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Puts the table into the document.
pub(super) fn write(path: &Path, table: &str) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (head, rest) = text.split_once(MARKS.0).context("the document has no mark for the table")?;
    let (_, tail) = rest.split_once(MARKS.1).context("the document has no mark for the table's end")?;
    let text = format!("{head}{}\n{table}\n{}{tail}", MARKS.0, MARKS.1);
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_of_the_ratio_where_there_is_one_and_else_of_the_figure() {
        let ratio = |ours, goal| Row::beside("f", "us", ours, "bare", 100.0).goal(goal);
        assert_eq!(ratio(105.0, 1.05).is_met(), Some(true));
        assert_eq!(ratio(106.0, 1.05).is_met(), Some(false));
        assert_eq!(Row::alone("f", "us", 1.1, "").goal(1.0).is_met(), Some(false));
        assert_eq!(Row::alone("f", "us", 1.0, "").goal(1.0).is_met(), Some(true));
        assert_eq!(Row::alone("f", "us", 1.0, "").is_met(), None);
    }

    #[test]
    fn a_row_shows_what_it_is_held_against() {
        let rows = [
            Row::beside("a call", "us", 123.4, "bare", 100.0).goal(1.05),
            Row::alone("a token", "us", 0.251, "processor time").goal(1.0),
            Row::alone("a task", "s", 12.34, ""),
        ];
        let table = markdown(&rows);
        let rows: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| a call | 123 us | bare: 100 us | 1.23 | 1.05 | **missed** |",
                "| a token | 0.25 us | processor time |  | 1.00 us | met |",
                "| a task | 12.3 s |  |  |  |  |",
            ]
        );
    }
}
