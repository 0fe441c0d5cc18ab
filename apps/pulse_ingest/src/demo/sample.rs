//! Retail files of a made-up shop, drawn from a seed: the shape and the dirt of the real ones, none of their data.
//!
//! **Invariant.** The bytes depend on the seed and the sizes alone. Each reason that a single row can give occurs, invoices are
//! interleaved, some customers are guests, prices and descriptions change, and an invoice returns in a later file.

use std::fmt::Write as _;

use super::dice::Dice;
use super::goods::{Goods, goods};
use crate::retail::COLUMNS;

const COUNTRIES: [&str; 8] = [
    "United Kingdom",
    "United Kingdom",
    "United Kingdom",
    "Germany",
    "France",
    "EIRE",
    "Spain",
    "Channel Islands",
];
const SERVICES: [(&str, &str); 6] = [
    ("POST", "POSTAGE"),
    ("DOT", "DOTCOM POSTAGE"),
    ("M", "Manual"),
    ("D", "Discount"),
    ("BANK CHARGES", "Bank Charges"),
    ("gift_0001_20", "Gift Voucher"),
];

/// An invoice that is being written.
struct Invoice {
    number: String,
    customer: String,
    country: &'static str,
    lines_left: u64,
    cancels: bool,
}

/// One file a month from January 2011 on, each with about `rows` rows: name and content.
pub fn files(seed: u64, months: u32, rows: u64) -> Vec<(String, String)> {
    let mut shop = Shop { dice: Dice::new(seed), goods: goods(seed, 180), next_invoice: 600_001, last: None };
    (1..=months).map(|month| (format!("2011-{month:02}.csv"), shop.month(month, rows))).collect()
}

struct Shop {
    dice: Dice,
    goods: Vec<Goods>,
    next_invoice: u64,
    last: Option<Invoice>,
}

impl Shop {
    fn month(&mut self, month: u32, rows: u64) -> String {
        let mut text = COLUMNS.join(",");
        text.push('\n');
        // Two or three invoices are open at a time, so that their lines interleave.
        let mut open: Vec<Invoice> = self.last.take().into_iter().collect();
        for row in 0..rows {
            while open.len() < 3 {
                let invoice = self.invoice();
                open.push(invoice);
            }
            let minutes = row * 27 * 24 * 60 / rows;
            let at = format!(
                "2011-{month:02}-{:02} {:02}:{:02}:00",
                1 + minutes / 1440,
                minutes / 60 % 24,
                minutes % 60
            );
            let which = usize::from(self.dice.chance(150)) + usize::from(self.dice.chance(50));
            self.row(&mut text, &open[which], &at);
            open[which].lines_left = open[which].lines_left.saturating_sub(1);
            if open[which].lines_left == 0 {
                open.remove(which);
            }
        }
        self.last = open.into_iter().find(|invoice| !invoice.cancels);
        text
    }

    fn invoice(&mut self) -> Invoice {
        let number = self.next_invoice;
        self.next_invoice += self.dice.below(3) + 1;
        let cancels = self.dice.chance(200);
        let lines = if cancels {
            self.dice.between(1, 5)
        } else if self.dice.chance(60) {
            // More than a cart remembers of its commands.
            self.dice.between(40, 90)
        } else {
            self.dice.between(1, 7) * self.dice.between(1, 4)
        };
        Invoice {
            number: if cancels { format!("C{number}") } else { number.to_string() },
            customer: if self.dice.chance(280) {
                String::new()
            } else {
                format!("{}.0", 12_000 + self.dice.below(60) * 7)
            },
            country: self.dice.pick::<&'static str>(&COUNTRIES, false),
            lines_left: lines.unsigned_abs(),
            cancels,
        }
    }

    fn row(&mut self, text: &mut String, invoice: &Invoice, at: &str) {
        let dice = &mut self.dice;
        let goods = dice.pick(&self.goods, true);
        let sign = if invoice.cancels { "-" } else { "" };
        let mut quantity = format!("{sign}{}", dice.between(1, 12) * dice.between(1, 4));
        // A price is sometimes lower by the dozen, and creeps.
        let pence = goods.price.pence * dice.between(85, 105) / 100;
        let mut price = format!("{}.{:02}", pence / 100, pence % 100);
        if dice.chance(400) {
            price = price.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        let mut code = goods.sku.to_string();
        if dice.chance(30) {
            code = code.to_lowercase();
        }
        let mut name = goods.name.to_ascii_uppercase();
        match dice.below(60) {
            0 => name = format!("\"{name}, \"\"BOXED\"\"\""),
            1 => name.push(' '),
            2 => name = name.replace("SET OF", "SET/"),
            _ => {}
        }
        let mut date = at.to_owned();
        match dice.below(250) {
            0 | 1 => name = String::new(),
            2 => "0.0".clone_into(&mut price),
            3 => "-11062.06".clone_into(&mut price),
            4 => price.push_str(if price.contains('.') { "001" } else { ".001" }),
            5..=8 => {
                let (service, label) = dice.pick(&SERVICES, false);
                (*service).clone_into(&mut code);
                (*label).clone_into(&mut name);
            }
            9 if !invoice.cancels => "-5".clone_into(&mut quantity),
            10 => "0".clone_into(&mut quantity),
            11 => "six".clone_into(&mut quantity),
            12 => date = at.replace("2011-", "2011/"),
            13 => "n/a".clone_into(&mut price),
            15..=30 if invoice.cancels => "5".clone_into(&mut quantity),
            14 => name.push_str(",ONE COMMA TOO MANY"),
            _ => {}
        }
        let Invoice { number, customer, country, .. } = invoice;
        // Writing to a string can't fail.
        let _ = writeln!(text, "{number},{code},{name},{quantity},{date},{price},{customer},{country}");
    }
}
