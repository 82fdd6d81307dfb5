//! What was measured, beside what was promised.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::progress;
use crate::stack::files::Project;

/// All lines of a run, in order, and what each part has found besides.
#[derive(Default)]
pub(super) struct Report {
    lines: Vec<Line>,
    details: serde_json::Map<String, Value>,
}

/// One number.
struct Line {
    what: String,
    unit: &'static str,
    measured: f64,
    budget: Budget,
}

/// What a number must keep to.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    /// This or less.
    Most(f64),
    /// This or more.
    Least(f64),
    /// It is only of interest.
    None,
}

impl Budget {
    fn is_met(self, measured: f64) -> Option<bool> {
        match self {
            Self::Most(most) => Some(measured <= most),
            Self::Least(least) => Some(measured >= least),
            Self::None => None,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Most(most) => write!(f, "at most {most}"),
            Self::Least(least) => write!(f, "at least {least}"),
            Self::None => Ok(()),
        }
    }
}

impl Report {
    /// Adds a number, rounded to three decimals.
    pub(super) fn add(&mut self, what: impl Into<String>, unit: &'static str, measured: f64, budget: Budget) {
        let measured = (measured * 1000.0).round() / 1000.0;
        self.lines.push(Line { what: what.into(), unit, measured, budget });
    }

    /// Adds what a part has found besides, for the file.
    pub(super) fn detail(&mut self, part: &str, found: Value) {
        self.details.insert(part.to_owned(), found);
    }

    /// Shows the table.
    fn show(&self) {
        progress::show(format_args!("\n{:<72} {:>12} {:<8} {:<16} met", "what", "measured", "", "budget"));
        for line in &self.lines {
            let met = match line.budget.is_met(line.measured) {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            let budget = line.budget.to_string();
            progress::show(format_args!(
                "{:<72} {:>12} {:<8} {budget:<16} {met}",
                line.what, line.measured, line.unit
            ));
        }
    }

    /// Whether every budget is kept to.
    pub(super) fn is_good(&self) -> bool {
        self.lines.iter().all(|line| line.budget.is_met(line.measured).unwrap_or(true))
    }

    /// Shows the table and writes everything to a file in the build folder, with what the run was asked for.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn keep(&self, project: &Project, name: &str, asked: Value) -> Result<()> {
        self.show();
        let mut results = self.json();
        results["asked"] = asked;
        let path = project.root().join("target").join(name);
        std::fs::write(path, format!("{results:#}\n"))?;
        progress::step(format_args!("written to target/{name}"));
        Ok(())
    }

    fn json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let (most, least) = match line.budget {
                Budget::Most(most) => (Some(most), None),
                Budget::Least(least) => (None, Some(least)),
                Budget::None => (None, None),
            };
            json!({ "what": line.what, "unit": line.unit, "measured": line.measured, "at_most": most,
                    "at_least": least, "met": line.budget.is_met(line.measured) })
        });
        json!({ "lines": lines.collect::<Vec<_>>(), "details": self.details })
    }
}

/// The value below which so many of a hundred lie; zero of none.
pub(super) fn percentile(values: &[Duration], percent: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort();
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

/// In milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let values: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Duration::from_millis(50));
        assert_eq!(percentile(&values, 99), Duration::from_millis(99));
        assert_eq!(percentile(&values[..1], 99), Duration::from_millis(100));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn a_report_is_good_until_a_budget_is_overrun() {
        let mut report = Report::default();
        report.add("of interest", "ms", 9.0, Budget::None);
        report.add("kept", "ms", 9.0, Budget::Most(9.0));
        assert!(report.is_good());
        report.add("overrun", "ms", 9.001, Budget::Most(9.0));
        assert!(!report.is_good());
    }

    #[test]
    fn a_budget_is_met_at_its_limit() {
        assert_eq!(Budget::Most(4.0).is_met(4.0), Some(true));
        assert_eq!(Budget::Most(4.0).is_met(4.1), Some(false));
        assert_eq!(Budget::Least(22.5).is_met(22.4), Some(false));
        assert_eq!(Budget::None.is_met(1.0), None);
    }
}
