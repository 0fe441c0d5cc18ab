//! A hundred buyers want ten pieces, two people edit one price, and the sums stand: `cargo run [DATABASE_URL]`.

#![expect(clippy::print_stdout, reason = "a demo prints what happens")]

use anyhow::Context as _;
use futures::future::join_all;
use labs_orders_db::place::{PlaceError, place};
use labs_orders_db::{Db, NewOrder, edit, list};
use serde_json::json;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("labs_orders_db-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let file = format!("sqlite://{}", folder.join("orders.db").display());
    let url = std::env::args().nth(1).unwrap_or(file);
    let db = Db::open(&url).await?;
    let shown = shown(&db).await;
    db.close().await;
    let _ = std::fs::remove_dir_all(folder);
    shown
}

async fn shown(db: &Db) -> anyhow::Result<()> {
    edit::deliver(db, "MUG", "A mug", 450, 10).await?;
    let before = db.statements();
    let buyers = join_all((0..100).map(|n| async move {
        let order = json!({ "key": format!("demo-{n}"), "buyer": format!("buyer {n}"),
                            "lines": [{ "sku": "MUG", "quantity": 1 }] });
        place(db, &NewOrder::cast(&order)?).await.map_err(anyhow::Error::from)
    }))
    .await;
    let sold = buyers.iter().filter(|placed| placed.is_ok()).count();
    let short =
        buyers.iter().filter_map(|placed| placed.as_ref().err()?.downcast_ref::<PlaceError>()).count();
    println!("100 buyers, 10 mugs: {sold} sold, {short} refused, {} statements", db.statements() - before);

    let mug = edit::product(db, "MUG").await?;
    println!("In stock: {}; version {} (sales are no edits)", mug.stock, mug.version);
    println!("Ann sets a price: {:?}", edit::reprice(db, "MUG", mug.version, 500).await);
    println!(
        "Bo, who saw the same version, sets another: {:?}",
        edit::reprice(db, "MUG", mug.version, 400).await
    );

    if let Some(order) = list::page(db, None, 1).await?.first() {
        println!("Order {} is called off by this call: {}", order.id.0, edit::cancel(db, order.id).await?);
        println!(
            "And again: {}; in stock: {}",
            edit::cancel(db, order.id).await?,
            edit::product(db, "MUG").await?.stock
        );
    }
    Ok(())
}
