//! Looks whether the order still stands, and then gives the pieces back: two who look at once give them back twice.
//!
//! test: behaviour::an_order_gives_its_pieces_back_once
//! verdict: in stock after one order came back
//>> cancel
    let rows = db.rows("SELECT cancelled FROM orders WHERE id = $1", vec![order.0.into()]).await?;
    let row = rows.first().ok_or(EditError::NotThere)?;
    if row.try_get_by_index(0).map_err(|error| EditError::Db(error.into()))? {
        return Ok(false);
    }
    let cancelling = Multi::<(), EditError>::new()
        .step("cancel", move |tx, ()| {
            async move {
                tx.exec("UPDATE orders SET cancelled = TRUE WHERE id = $1", vec![order.0.into()]).await?;
                let lines = "UPDATE products SET stock = stock + (SELECT quantity FROM lines \
                             WHERE order_id = $1 AND lines.sku = products.sku) \
                             WHERE sku IN (SELECT sku FROM lines WHERE order_id = $1)";
                tx.exec(lines, vec![order.0.into()]).await?;
                Ok(())
            }
            .boxed()
        });
    cancelling.run(db, ()).await.map_err(|failed| failed.error)?;
    Ok(true)
//<<
