//! Answers whatever the key has made: a client that uses a key twice believes that its second order was placed.
//!
//! test: behaviour::another_order_under_a_used_key_is_refused
//! verdict: another order under the key k
//>> place
    if let Some(known) = list::by_key(db, new.key()).await? {
        return Ok(known);
    }
    match steps(new).run(db, Placing::default()).await {
        Ok(placed) => {
            let total = total(&placed.lines);
            let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
            Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines })
        }
        Err(MultiError { error: PlaceError::Db(error), .. }) if error.violates("uq_orders_key") => {
            list::by_key(db, new.key()).await?.ok_or(PlaceError::Db(error))
        }
        Err(failed) => Err(failed.error),
    }
//<<
