//! A believable gift shop's catalogue, drawn from a seed.
//!
//! **Invariant.** Codes are distinct and have the shape of real goods (five digits, a variant's letter); the first
//! two digits are the category.

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Sku};

use super::dice::Dice;

/// One product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// Its code.
    pub sku: Sku,
    /// Its name.
    pub name: String,
    /// The shelf it stands on.
    pub category: &'static str,
    /// Its price, VAT included.
    pub price: Money,
    /// How many lie on the shelf at the beginning.
    pub stock: i64,
    /// Its VAT.
    pub vat: VatRate,
}

struct Category {
    shelf: &'static str,
    prefix: u64,
    vat: VatRate,
    /// Pence, from and to.
    prices: (i64, i64),
    things: &'static [&'static str],
}

const CATEGORIES: [Category; 7] = [
    Category {
        shelf: "Kitchen",
        prefix: 20,
        vat: VatRate::Standard,
        prices: (125, 1295),
        things: &[
            "TEAPOT",
            "MUG",
            "CAKE STAND",
            "BUTTER DISH",
            "EGG CUP SET OF 4",
            "MIXING BOWL",
            "BREAD BIN",
            "JAM JAR",
        ],
    },
    Category {
        shelf: "Lights",
        prefix: 21,
        vat: VatRate::Standard,
        prices: (295, 2495),
        things: &["LANTERN", "T-LIGHT HOLDER", "FAIRY LIGHTS", "CANDLE STICK", "TABLE LAMP", "STORM GLASS"],
    },
    Category {
        shelf: "Paper and pens",
        prefix: 22,
        vat: VatRate::Standard,
        prices: (42, 695),
        things: &[
            "NOTEBOOK",
            "WRAPPING PAPER",
            "GIFT TAGS SET OF 12",
            "FOUNTAIN PEN",
            "PENCIL TIN",
            "LETTER RACK",
        ],
    },
    Category {
        shelf: "Garden",
        prefix: 23,
        vat: VatRate::Standard,
        prices: (165, 1995),
        things: &["WATERING CAN", "BIRD TABLE", "PLANT POT", "GARDEN TROWEL", "DOORMAT", "HERB MARKER SET"],
    },
    Category {
        shelf: "Books",
        prefix: 47,
        vat: VatRate::Zero,
        prices: (199, 899),
        things: &["PICTURE BOOK", "COOKERY BOOK", "ROAD ATLAS", "CHILDRENS APRON", "BEDTIME STORIES"],
    },
    Category {
        shelf: "Festive",
        prefix: 84,
        vat: VatRate::Standard,
        prices: (85, 1495),
        things: &["WOODEN STAR", "BAUBLE", "ADVENT CALENDAR", "DOOR WREATH", "SNOW GLOBE", "PAPER CHAIN KIT"],
    },
    Category {
        shelf: "Warm and cosy",
        prefix: 85,
        vat: VatRate::Reduced,
        prices: (210, 1650),
        things: &["HOT WATER BOTTLE", "DRAUGHT EXCLUDER", "LAP BLANKET", "HAND WARMER", "BED SOCKS"],
    },
];

const LOOKS: [&str; 14] = [
    "VINTAGE",
    "SPOTTED",
    "STRIPED",
    "ROSE PATTERN",
    "HAND PAINTED",
    "WOODLAND",
    "SEASIDE",
    "GINGHAM",
    "ENAMEL",
    "RUSTIC",
    "CHEQUERED",
    "FOLK ART",
    "PAISLEY",
    "BOTANICAL",
];
const COLOURS: [(&str, &str); 6] =
    [("RED", "R"), ("BLUE", "B"), ("CREAM", "C"), ("GREEN", "G"), ("PINK", "P"), ("GREY", "")];

/// `count` products, at most 588 (each category has 14 looks of six colours).
pub fn goods(seed: u64, count: usize) -> Vec<Goods> {
    let mut dice = Dice::new(seed ^ 0x600d5);
    let mut all = Vec::new();
    for (look_at, look) in LOOKS.iter().enumerate() {
        for category in &CATEGORIES {
            let thing = dice.pick(category.things, false);
            let (low, high) = category.prices;
            // Shops like prices that end in 5 or 9.
            let price = dice.between(low, high) / 10 * 10 + if dice.chance(700) { 5 } else { 9 };
            let number = category.prefix * 1000 + look_at as u64 * 37 + dice.below(37);
            for (colour, letter) in COLOURS {
                let Ok(sku) = Sku::new(&format!("{number}{letter}")) else { continue };
                let name = sentence_case(&format!("{colour} {look} {thing}"));
                let stock = if dice.chance(40) { dice.between(0, 3) } else { dice.between(20, 600) };
                let (price, vat) = (Money::gbp(price), category.vat);
                all.push(Goods { sku, name, category: category.shelf, price, stock, vat });
            }
        }
    }
    // Spread over all categories before cutting: look by look, as they were made.
    all.truncate(count);
    all
}

/// `BLUE CAKE STAND` as one writes it: `Blue cake stand`.
fn sentence_case(name: &str) -> String {
    let mut name = name.to_ascii_lowercase();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::goods;

    #[test]
    fn a_seed_gives_one_catalogue_of_distinct_goods() {
        let all = goods(1, 1000);
        assert_eq!(all.len(), 588);
        assert_eq!(all, goods(1, 1000));
        assert_ne!(all, goods(2, 1000));
        assert_eq!(all.iter().map(|goods| goods.sku).collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|goods| goods.price.pence > 0 && goods.stock >= 0));
    }
}
