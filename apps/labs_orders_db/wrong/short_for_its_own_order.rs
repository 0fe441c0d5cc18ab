//! Looks for a faster twin only where the key was violated: a twin that took the last piece is met at the stock already.
//!
//! test: behaviour::the_last_piece_is_not_short_for_the_order_that_has_it
//! verdict: the order has the last piece, and its buyer is told
//>> place
    if let Some(known) = list::by_key(db, new.key()).await? {
        return same(new, known);
    }
    match steps(new).run(db, Placing::default()).await {
        Ok(placed) => {
            let total = total(&placed.lines);
            let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
            Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines })
        }
        Err(MultiError { error: PlaceError::Db(error), .. }) if error.violates("uq_orders_key") => {
            let known = list::by_key(db, new.key()).await?;
            known.map_or(Err(PlaceError::Db(error)), |known| same(new, known))
        }
        Err(failed) => Err(failed.error),
    }
//<<
