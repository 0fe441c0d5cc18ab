//! Takes the violated key for a failure: who sends an order twice is told that the shop is broken, and has bought.
//!
//! test: behaviour::the_same_key_at_the_same_time_is_one_order
//! verdict: everybody gets the order
//>> place
    if let Some(known) = list::by_key(db, new.key()).await? {
        return same(new, known);
    }
    let placed = steps(new).run(db, Placing::default()).await.map_err(|failed| failed.error)?;
    let total = total(&placed.lines);
    let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
    Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines })
//<<
