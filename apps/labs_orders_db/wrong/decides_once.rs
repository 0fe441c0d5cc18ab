//! Asks the rule once and repeats only the write: the decision was made on a row that is no more.
//!
//! test: behaviour::edits_by_a_rule_at_the_same_time_are_all_in
//! verdict: eight edits of one penny each
//>> amend
    let price = rule(&product(db, sku).await?);
    for _ in 0..LOOKS {
        let seen = product(db, sku).await?;
        match reprice(db, sku, seen.version, price).await {
            Err(EditError::Stale) => {}
            ended => return ended.map(|()| price),
        }
    }
    Err(EditError::Stale)
//<<
