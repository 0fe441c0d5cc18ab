//! The summary as tables for people, 80 columns wide where the headings allow it.
//!
//! **Invariant.** What is an estimate says so: `~` stands before it, and how far it may be off below the table.

use std::fmt::{self, Write as _};

use crate::column::Column;
use crate::dirt::Dirt;
use crate::stats::distinct::Distinct;
use crate::summary::Summary;

/// Characters of a cell that are shown.
const WIDEST: usize = 22;

/// Shows a summary.
#[derive(Debug)]
pub struct Report<'a>(pub &'a Summary);

impl Report<'_> {
    /// The tables alone.
    pub fn tables(&self) -> impl fmt::Display {
        Tables(self.0)
    }

    /// The dirt alone: empty of a clean file.
    pub fn dirt(&self) -> impl fmt::Display {
        DirtOf(self.0)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.tables(), self.dirt())
    }
}

/// The columns, their numbers, their most frequent values.
struct Tables<'a>(&'a Summary);

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.columns().is_empty() {
            return Ok(());
        }
        let columns: Vec<(&String, &Column)> = self.0.headings().iter().zip(self.0.columns()).collect();
        table(f, &["column", "type", "values", "empty", "distinct", "least", "greatest"], &[2, 3, 4], {
            columns.iter().map(|(heading, column)| row_of_values(heading, column)).collect()
        })?;
        let numbers: Vec<_> = columns
            .iter()
            .filter(|(_, column)| column.kind().is_number())
            .map(|(heading, column)| row_of_numbers(heading, column))
            .collect();
        if !numbers.is_empty() {
            writeln!(f)?;
            let heads = ["numbers", "sum", "mean", "deviation", "quarter", "median", "3/4", "99 %"];
            table(f, &heads, &[1, 2, 3, 4, 5, 6, 7], numbers)?;
        }
        let frequent: Vec<_> =
            columns.iter().filter_map(|(heading, column)| row_of_most(heading, column)).collect();
        if !frequent.is_empty() {
            writeln!(f)?;
            table(f, &["most frequent", "", "", ""], &[], frequent)?;
        }
        errors(f, &columns)
    }
}

/// What was dirty, and where.
struct DirtOf<'a>(&'a Summary);

impl fmt::Display for DirtOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dirt(f, self.0)
    }
}

fn row_of_values(heading: &str, column: &Column) -> Vec<String> {
    let (least, greatest) = match (column.kind().is_number(), column.range().exact(), column.range().values())
    {
        (true, Some((least, greatest)), _) => (least.to_string(), greatest.to_string()),
        (true, None, Some((least, greatest))) => (least.to_string(), greatest.to_string()),
        _ => {
            let show =
                |text: Option<&crate::Text>| text.map(|text| text.show().into_owned()).unwrap_or_default();
            (show(column.least()), show(column.greatest()))
        }
    };
    vec![
        heading.to_owned(),
        column.kind().name().to_owned(),
        grouped(column.count()),
        grouped(column.nulls()),
        column.distinct().map(|distinct| format!("~{}", rounded(distinct.estimate()))).unwrap_or_default(),
        least,
        greatest,
    ]
}

fn row_of_numbers(heading: &str, column: &Column) -> Vec<String> {
    let number = |value: Option<f64>| value.map(short).unwrap_or_default();
    let quantile = |q| {
        let value = column.quantiles().and_then(|quantiles| quantiles.get(q));
        number(value.map(|value| column.range().plausible(value)))
    };
    vec![
        heading.to_owned(),
        column.sum().map(|sum| sum.to_string()).unwrap_or_default(),
        number(column.moments().mean()),
        number(column.moments().variance().map(f64::sqrt)),
        quantile(0.25),
        quantile(0.5),
        quantile(0.75),
        quantile(0.99),
    ]
}

/// The three most frequent values, if one of them is sure to be more frequent than what the counts may miss.
fn row_of_most(heading: &str, column: &Column) -> Option<Vec<String>> {
    let frequent = column.frequent()?;
    let mut row = vec![heading.to_owned()];
    for item in frequent.top(3).iter().filter(|item| item.count > frequent.error()) {
        row.push(format!("{} ×{}", shortened(&item.text.show(), 14), grouped(item.count)));
    }
    (row.len() > 1).then_some(row)
}

fn errors(f: &mut fmt::Formatter<'_>, columns: &[(&String, &Column)]) -> fmt::Result {
    let quantiles = columns.iter().filter_map(|(_, column)| column.quantiles()).map(crate::Quantiles::error);
    let Some(quantile) = quantiles.reduce(f64::max) else { return Ok(()) };
    let missed = columns.iter().filter_map(|(_, column)| column.frequent()).map(crate::Frequent::error).max();
    writeln!(
        f,
        "\n~ distinct: standard error {:.1} %. Quantiles: within {:.1} %. × may be up to {} too low.",
        Distinct::ERROR * 100.0,
        quantile * 100.0,
        grouped(missed.unwrap_or_default()),
    )
}

fn dirt(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    for dirt in Dirt::ALL {
        let count = summary.journal().count(dirt);
        if count == 0 {
            continue;
        }
        writeln!(f, "\n{} × {}", grouped(count), dirt.describe())?;
        for finding in summary.journal().findings().filter(|finding| finding.dirt == dirt) {
            let heading = summary.headings().get(finding.column - 1).map_or("", String::as_str);
            let bracket =
                if heading.is_empty() { String::new() } else { format!(" ({})", shortened(heading, 40)) };
            writeln!(
                f,
                "    row {}, column {}{bracket}, line {}",
                finding.row, finding.column, finding.line
            )?;
        }
    }
    Ok(())
}

/// A table whose columns are as wide as their widest cell; those of `right` are numbers.
fn table(f: &mut fmt::Formatter<'_>, heads: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> fmt::Result {
    let heads = heads.iter().map(|head| (*head).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(heads)
        .chain(rows)
        .map(|line| line.iter().map(|cell| shortened(cell, WIDEST)).collect())
        .collect();
    let most = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..most).map(|at| width(at).unwrap_or_default()).collect();
    for line in &lines {
        let mut text = String::new();
        for (at, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let gap = if at == 0 { "" } else { "  " };
            // A string takes any text without an error.
            let _ = if right.contains(&at) {
                write!(text, "{gap}{cell:>width$}")
            } else {
                write!(text, "{gap}{cell:<width$}")
            };
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}

/// At most `most` characters, on one line: what can't be printed is shown as a dot.
fn shortened(text: &str, most: usize) -> String {
    let printed = |character: char| if character.is_control() { '·' } else { character };
    if text.chars().count() <= most {
        return text.chars().map(printed).collect();
    }
    text.chars().take(most - 1).map(printed).chain(['…']).collect()
}

/// Six digits or so, without a tail of zeros.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1e15 || (size > 0.0 && size < 1e-4) => return format!("{value:.4e}"),
        size if size >= 1e5 => 0,
        size if size >= 100.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate of a count")]
fn rounded(estimate: f64) -> String {
    grouped(estimate.round() as u64)
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
