//! Sends all orders to whoever joins: ten thousand of them to each program that starts.
//!
//! test: behaviour::who_joins_is_given_the_newest_orders_and_no_more
//! verdict: orders for a program
//>> join
        if join.topic() != FEED {
            return Err(JoinRefused::reason("unmatched topic"));
        }
        let Ok(Known { since }) = join.json() else {
            return Err(JoinRefused::reason("since must be a version: a number"));
        };
        let desk = ctx.context();
        let answer = match since.map(|known| desk.since(known)) {
            Some(Missed::Changes(changes)) => {
                let version = changes.last().map_or(since, |change| Some(change.version));
                json!({ "version": version, "changes": changes })
            }
            Some(Missed::Everything) | None => {
                let now = desk.read(usize::MAX);
                json!({ "version": now.version, "orders": now.orders })
            }
        };
        Ok(Joined::with(Self, answer))
//<<
