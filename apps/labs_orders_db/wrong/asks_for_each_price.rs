//! Takes the pieces with one statement and asks for the price with another, for each line.
//!
//! test: budget::an_order_costs_one_statement_a_line_and_four
//! verdict: statements for 30 lines
//>> take
    let mut lines = Vec::with_capacity(new.lines().len());
    let mut short = Vec::new();
    for line in new.lines() {
        let sku = line.sku.clone();
        let take = "UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2";
        if tx.exec(take, vec![line.sku.as_str().into(), line.quantity.into()]).await? == 1 {
            let rows = tx.rows("SELECT price FROM products WHERE sku = $1", vec![line.sku.as_str().into()]).await?;
            let price = rows[0].try_get_by_index(0).map_err(DbError::from)?;
            lines.push(Line { sku, quantity: line.quantity, price });
        } else {
            let available = available(tx, &sku).await?;
            short.push(Shortage { sku, available });
        }
    }
    if short.is_empty() { Ok(lines) } else { Err(PlaceError::Short(short)) }
//<<
