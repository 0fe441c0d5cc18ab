//! Reads the stock, compares, and writes what is left: whoever read the same number sells the same piece.
//!
//! test: behaviour::the_last_pieces_go_to_one_buyer_each
//! verdict: seven pieces went to
//>> take
    let mut lines = Vec::with_capacity(new.lines().len());
    let mut short = Vec::new();
    for line in new.lines() {
        let sku = line.sku.clone();
        let seen = tx.rows("SELECT stock, price FROM products WHERE sku = $1", vec![line.sku.as_str().into()]).await?;
        let stock: i64 = seen.first().map(|row| row.try_get_by_index(0)).transpose().map_err(DbError::from)?.unwrap_or(0);
        if stock < line.quantity {
            short.push(Shortage { sku, available: stock });
            continue;
        }
        let price = seen[0].try_get_by_index(1).map_err(DbError::from)?;
        let left = stock - line.quantity;
        tx.exec("UPDATE products SET stock = $2 WHERE sku = $1", vec![line.sku.as_str().into(), left.into()]).await?;
        lines.push(Line { sku, quantity: line.quantity, price });
    }
    if short.is_empty() { Ok(lines) } else { Err(PlaceError::Short(short)) }
//<<
