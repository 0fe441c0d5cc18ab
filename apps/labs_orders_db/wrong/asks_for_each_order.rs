//! Asks for the lines of each order by itself: a page of a hundred orders is a hundred and one statements.
//!
//! test: budget::a_page_costs_two_statements
//! verdict: statements for a page of 40 orders
//>> fill
    for order in orders {
        let sql = "SELECT order_id, sku, quantity, price FROM lines WHERE order_id = $1 ORDER BY sku";
        let rows = db.rows(sql, vec![order.id.0.into()]).await?;
        order.lines = rows.iter().map(line).collect::<Result<_, DbErr>>()?;
    }
    Ok(())
//<<
