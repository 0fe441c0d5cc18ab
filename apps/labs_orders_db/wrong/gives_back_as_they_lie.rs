//! Gives all pieces back in one statement, which takes the rows as they lie: a cancel and a sale wait for each other.
//!
//! test: faults::a_cancel_takes_its_rows_in_the_order_of_the_buyers
//! verdict: it holds B and waits for A
//>> cancel
    const CANCEL: &str = "UPDATE orders SET cancelled = TRUE WHERE id = $1 AND NOT cancelled";
    const GIVE_BACK: &str = "UPDATE products SET stock = stock + \
                             (SELECT quantity FROM lines WHERE order_id = $1 AND lines.sku = products.sku) \
                             WHERE sku IN (SELECT sku FROM lines WHERE order_id = $1)";
    let cancelling = Multi::<bool, EditError>::new()
        .step("cancel", move |tx, mine| {
            async move {
                *mine = tx.exec(CANCEL, vec![order.0.into()]).await? == 1;
                Ok(())
            }
            .boxed()
        })
        .step("give back", move |tx, mine| {
            async move {
                if *mine {
                    tx.exec(GIVE_BACK, vec![order.0.into()]).await?;
                }
                Ok(())
            }
            .boxed()
        });
    let mine = cancelling.run(db, false).await.map_err(|failed| failed.error)?;
    if !mine && db.rows("SELECT 1 FROM orders WHERE id = $1", vec![order.0.into()]).await?.is_empty() {
        return Err(EditError::NotThere);
    }
    Ok(mine)
//<<
