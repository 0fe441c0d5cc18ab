//! Sends an order again until the database has taken it: where it never will, nobody is answered.
//!
//! test: behaviour::an_order_that_the_database_can_not_take_is_given_up
//! verdict: 500 statements for an order that can't be placed
//>> place
    loop {
        if let Some(known) = list::by_key(db, new.key()).await? {
            return same(new, known);
        }
        match steps(new).run(db, Placing::default()).await {
            Ok(placed) => {
                let total = total(&placed.lines);
                let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
                return Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines });
            }
            Err(MultiError { error: PlaceError::Db(_), .. }) => {}
            Err(MultiError { error, .. }) => {
                let known = list::by_key(db, new.key()).await?;
                return known.map_or(Err(error), |known| same(new, known));
            }
        }
    }
//<<
