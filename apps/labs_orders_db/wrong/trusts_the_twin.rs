//! Compares the order that it finds at first, and not the one that it finds after a lost race.
//!
//! test: behaviour::two_orders_under_one_key_at_the_same_time_are_one
//! verdict: was answered with
//>> place
    if let Some(known) = list::by_key(db, new.key()).await? {
        return same(new, known);
    }
    let may_have_lost = |error: &PlaceError| match error {
        PlaceError::Short(_) => true,
        PlaceError::Db(error) => error.violates("uq_orders_key"),
        PlaceError::KeyReused => false,
    };
    match steps(new).run(db, Placing::default()).await {
        Ok(placed) => {
            let total = total(&placed.lines);
            let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
            Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines })
        }
        Err(MultiError { error, .. }) if may_have_lost(&error) => {
            list::by_key(db, new.key()).await?.ok_or(error)
        }
        Err(failed) => Err(failed.error),
    }
//<<
