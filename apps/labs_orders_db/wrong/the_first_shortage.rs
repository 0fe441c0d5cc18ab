//! Stops at the first line that is short: a buyer with three such lines tries four times.
//!
//! test: behaviour::who_is_refused_has_changed_nothing_and_hears_of_every_shortage
//! verdict: every line that is short
//>> take
    const TAKE: &str = "UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2 RETURNING price";
    let mut lines = Vec::with_capacity(new.lines().len());
    for line in new.lines() {
        let taken = tx.rows(TAKE, vec![line.sku.as_str().into(), line.quantity.into()]).await?;
        let sku = line.sku.clone();
        let Some(row) = taken.first() else {
            let available = available(tx, &sku).await?;
            return Err(PlaceError::Short(vec![Shortage { sku, available }]));
        };
        let price = row.try_get_by_index(0).map_err(DbError::from)?;
        lines.push(Line { sku, quantity: line.quantity, price });
    }
    Ok(lines)
//<<
