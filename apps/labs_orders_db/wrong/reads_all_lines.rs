//! Reads the lines of all orders for a page of some: two statements, and the whole table.
//!
//! test: budget::a_page_reads_no_lines_of_other_orders
//! verdict: rows read for a page of 10 orders
//>> fill
    let rows = db.rows("SELECT order_id, sku, quantity, price FROM lines ORDER BY order_id, sku", vec![]).await?;
    let mut lines: HashMap<i64, Vec<Line>> = HashMap::new();
    for row in &rows {
        lines.entry(row.try_get_by_index(0)?).or_default().push(line(row)?);
    }
    for order in orders {
        order.lines = lines.remove(&order.id.0).unwrap_or_default();
    }
    Ok(())
//<<
