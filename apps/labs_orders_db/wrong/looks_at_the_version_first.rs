//! Looks at the version, and then writes whatever is there: two who look at once both write.
//!
//! test: behaviour::edits_by_a_rule_at_the_same_time_are_all_in
//! verdict: eight edits of one penny each
//>> reprice
    let now = product(db, sku).await?;
    if now.version != seen {
        return Err(EditError::Stale);
    }
    const REPRICE: &str = "UPDATE products SET price = $2, version = version + 1 WHERE sku = $1";
    db.exec(REPRICE, vec![sku.into(), price.into()]).await?;
    Ok(())
//<<
