//! `pulse report`: what the replayed invoices add up to.
//!
//! **Invariant.** Amounts are shown to the penny; `--json` is one object with the documented keys.

use std::fmt::Write as _;

use pulse_ingest::report::{Report, ReportError, report};

use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::rooms::Rooms;
use crate::shop::{self, OPERATOR};

pub(super) async fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let repo = shop::open_migrated(config, false).await?;
    let rooms = Rooms::open(config, &repo, "").await?;
    let result = report(&rooms.orders, &rooms.imports, &OPERATOR).await;
    rooms.close(crate::telemetry::PATIENCE).await;
    let report =
        result.map_err(|error: ReportError| Failure::failed(format!("there is no report: {error}")))?;
    if json {
        let text = serde_json::to_string(&report).map_err(|error| Failure::failed(error.to_string()))?;
        return output::line(text);
    }
    output::line(table(&report))
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    let mut count = |name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{name:<16} {value:>16}");
    };
    count("rows", &report.rows);
    count("sale lines", &report.sale_lines);
    count("return lines", &report.return_lines);
    count("orders", &report.orders);
    count("returns", &report.returns);
    count("customers", &report.customers);
    count("products sold", &report.products_sold);
    count("revenue", &pounds(report.revenue_pence));
    count("refunds", &pounds(report.refunds_pence));
    let mut section = |title: &str, rows: Vec<(String, String)>| {
        if !rows.is_empty() {
            let _ = writeln!(text, "\n{title}");
            for (name, value) in rows {
                let _ = writeln!(text, "  {name:<22} {value:>16}");
            }
        }
    };
    let money = |map: &std::collections::BTreeMap<String, i64>| {
        map.iter().map(|(name, pence)| (name.clone(), pounds(*pence))).collect::<Vec<_>>()
    };
    section("sales by month", money(&report.by_month));
    section("refunds by month", money(&report.refunds_by_month));
    let mut countries: Vec<_> = report.by_country.iter().collect();
    countries.sort_by_key(|(name, pence)| (std::cmp::Reverse(**pence), (*name).clone()));
    section(
        "sales by country",
        countries.iter().map(|(name, pence)| ((*name).clone(), pounds(**pence))).collect(),
    );
    section(
        "top products",
        report.top.iter().map(|(sku, pence)| (sku.to_string(), pounds(*pence))).collect(),
    );
    section("dead letters", report.dead.iter().map(|(reason, n)| (reason.clone(), n.to_string())).collect());
    text.truncate(text.trim_end().len());
    text
}

/// `1234567` pence as `12,345.67`.
fn pounds(pence: i64) -> String {
    let (sign, pence) = (if pence < 0 { "-" } else { "" }, pence.unsigned_abs());
    let whole = (pence / 100).to_string();
    let mut grouped = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{:02}", pence % 100)
}

#[cfg(test)]
mod tests {
    use super::pounds;

    #[test]
    fn amounts_are_grouped_and_keep_their_pence() {
        let shown: Vec<String> = [0, 5, 123, 99_999, 100_000, 464_588_346, -18_421_131].map(pounds).into();
        assert_eq!(shown, ["0.00", "0.05", "1.23", "999.99", "1,000.00", "4,645,883.46", "-184,211.31"]);
    }
}
