//! Takes rows in the order in which they come: that is the order in which they were written, until one is written anew.
//!
//! test: behaviour::lines_come_in_order_wherever_they_lie
//! verdict: an order's lines after one of them was written anew
//>> fill
    if orders.is_empty() {
        return Ok(());
    }
    let marks: Vec<String> = (1..=orders.len()).map(|n| format!("${n}")).collect();
    let sql = format!("SELECT order_id, sku, quantity, price FROM lines WHERE order_id IN ({})", marks.join(", "));
    let rows = db.rows(&sql, orders.iter().map(|order| order.id.0.into()).collect()).await?;
    let mut lines: HashMap<i64, Vec<Line>> = HashMap::new();
    for row in &rows {
        lines.entry(row.try_get_by_index(0)?).or_default().push(line(row)?);
    }
    for order in orders {
        order.lines = lines.remove(&order.id.0).unwrap_or_default();
    }
    Ok(())
//<<
