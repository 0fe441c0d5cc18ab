//! Adds up pounds in floating point: 29 pence are 28.
//!
//! test: behaviour::a_total_is_exact_to_the_penny
//! verdict: pence for one piece of
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
            let total: f64 = placed.lines.iter().map(|line| line.quantity as f64 * (line.price as f64 / 100.0)).sum();
            let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
            let total = (total * 100.0) as i64;
            Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines })
        }
        Err(MultiError { error, .. }) if may_have_lost(&error) => {
            let known = list::by_key(db, new.key()).await?;
            known.map_or(Err(error), |known| same(new, known))
        }
        Err(failed) => Err(failed.error),
    }
//<<
