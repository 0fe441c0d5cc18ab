//! Leaves the key to its constraint: the same order again takes pieces first, and finds none for what it has already.
//!
//! test: behaviour::the_same_key_again_is_the_same_order
//! verdict: the same order
//>> place
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
