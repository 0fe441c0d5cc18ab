//! Reads the price again after its edit, and answers with somebody else's.
//!
//! test: behaviour::who_amends_is_told_its_own_price
//! verdict: the price that this rule has stored
//>> amend
    for _ in 0..LOOKS {
        let seen = product(db, sku).await?;
        match reprice(db, sku, seen.version, rule(&seen)).await {
            Err(EditError::Stale) => {}
            Ok(()) => return Ok(product(db, sku).await?.price),
            Err(error) => return Err(error),
        }
    }
    Err(EditError::Stale)
//<<
