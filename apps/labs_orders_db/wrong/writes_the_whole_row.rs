//! Reads the product, changes its price and writes all of it back: what was sold in between is in stock again.
//!
//! test: behaviour::a_sale_during_an_edit_stays_sold
//! verdict: pieces left of twenty
//>> reprice
    let now = product(db, sku).await?;
    const REPRICE: &str = "UPDATE products SET name = $3, price = $4, stock = $5, version = version + 1 \
                           WHERE sku = $1 AND version = $2";
    let row = vec![sku.into(), seen.into(), now.name.into(), price.into(), now.stock.into()];
    match db.exec(REPRICE, row).await? {
        0 => Err(EditError::Stale),
        _ => Ok(()),
    }
//<<
