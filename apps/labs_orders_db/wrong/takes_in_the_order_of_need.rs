//! Takes first what it needs most of: two buyers who need much of different things wait for each other.
//!
//! test: faults::a_buyer_takes_its_rows_in_the_order_of_all_buyers
//! verdict: it holds B and waits for A
//>> take
    const TAKE: &str =
        "UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2 RETURNING price";
    let mut lines = Vec::with_capacity(new.lines().len());
    let mut short = Vec::new();
    let mut wanted: Vec<_> = new.lines().iter().collect();
    wanted.sort_by_key(|line| std::cmp::Reverse(line.quantity));
    for line in wanted {
        let taken = tx.rows(TAKE, vec![line.sku.as_str().into(), line.quantity.into()]).await?;
        let sku = line.sku.clone();
        if let Some(row) = taken.first() {
            let price = row.try_get_by_index(0).map_err(DbError::from)?;
            lines.push(Line { sku, quantity: line.quantity, price });
        } else {
            let available = available(tx, &sku).await?;
            short.push(Shortage { sku, available });
        }
    }
    lines.sort_by(|a, b| a.sku.cmp(&b.sku));
    short.sort_by(|a, b| a.sku.cmp(&b.sku));
    if short.is_empty() { Ok(lines) } else { Err(PlaceError::Short(short)) }
//<<
