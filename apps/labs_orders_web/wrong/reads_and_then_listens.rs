//! Reads the orders and then listens: what happens in between is never seen.
//!
//! test: faults::a_page_that_opens_in_a_busy_moment_misses_nothing
//! verdict: the page has missed an order
//>> mount
        let now = desk.read(SHOWN as usize);
        // As long as it takes to go to a database.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        cx.subscribe(desk.bus(), Orders, Info::Changed);
        cx.subscribe(here.changes(), lobby::LOBBY.into(), |_| Info::Here);
        let mut orders = cx.stream("orders", list::dom_id);
        orders.keep_first(SHOWN);
        orders.reset(now.orders);
        let form = form::empty();
        Ok(Self { orders, version: now.version, form, here: lobby::names(&here) })
//<<
