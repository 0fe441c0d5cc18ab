//! The real files, where `PULSE_RETAIL_DATA` names their folder: the figures, to the penny.
//!
//! **Invariant.** What the replay reports of them is what an independent count found.

use std::path::PathBuf;
use std::sync::Arc;

use pulse_data::db_test;
use pulse_ingest::replay::{Options, replay};
use serde_json::json;

use crate::shop::{close, figures, open, shelves};

/// The seven months, if they are here.
fn files() -> Option<Vec<PathBuf>> {
    let folder = PathBuf::from(std::env::var_os("PULSE_RETAIL_DATA")?);
    let months = ["2010-12", "2011-01", "2011-02", "2011-03", "2011-04", "2011-05", "2011-06"];
    Some(months.map(|month| folder.join(format!("{month}.csv"))).into())
}

db_test!(half_a_year_of_a_real_shop_adds_up_to_the_penny, |repo| async move {
    let Some(files) = files() else {
        eprintln!(
            "SKIPPED: PULSE_RETAIL_DATA is not set; set it to the folder of 2010-12.csv to 2011-06.csv"
        );
        return;
    };
    let shop = open(&repo).await;
    replay(&shop, &files, &Options::default(), &Arc::default()).await.unwrap();
    let figures = figures(&shop).await;
    for (key, value) in [
        ("rows", 245_903),
        ("sale_lines", 238_718),
        ("return_lines", 4_195),
        ("orders", 9_592),
        ("returns", 1_806),
        ("customers", 2_958),
        ("revenue_pence", 464_588_346),
        ("refunds_pence", 18_421_131),
    ] {
        assert_eq!(figures[key], value, "{key}");
    }
    let dead = json!({ "not_goods": 1511, "no_description": 924, "no_price": 554, "price_precision": 1 });
    assert_eq!(figures["dead"], dead);
    shelves(&shop).await;
    close(&shop).await;
});
