//! Does not keep the version that it has read: what comes late takes a page back that has just opened.
//!
//! test: faults::what_happened_between_listening_and_reading_is_shown_once
//! verdict: a page that has read the newest version
//>> mount
        cx.subscribe(desk.bus(), Orders, Info::Changed);
        cx.subscribe(here.changes(), lobby::LOBBY.into(), |_| Info::Here);
        let now = desk.read(SHOWN as usize);
        let mut orders = cx.stream("orders", list::dom_id);
        orders.keep_first(SHOWN);
        orders.reset(now.orders);
        let form = form::empty();
        Ok(Self { orders, version: 0, form, here: lobby::names(&here) })
//<<
