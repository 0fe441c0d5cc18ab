//! Repeats until it works: where somebody is faster each time, it never ends.
//!
//! test: behaviour::a_rule_that_meets_a_change_each_time_gives_up
//! verdict: times, and it goes on
//>> amend
    loop {
        let seen = product(db, sku).await?;
        let price = rule(&seen);
        match reprice(db, sku, seen.version, price).await {
            Err(EditError::Stale) => {}
            ended => return ended.map(|()| price),
        }
    }
//<<
