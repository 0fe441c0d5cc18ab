//! The order's life: the whole table, and what follows from it.

use pulse_core::order::{Status, Step, WrongStep};

const STEPS: [Step; 6] = [Step::Pay, Step::Pack, Step::Ship, Step::Deliver, Step::Cancel, Step::Return];

/// Rows: from. Columns: Pay, Pack, Ship, Deliver, Cancel, Return.
#[rustfmt::skip]
const TABLE: [(Status, [Option<Status>; 6]); 7] = {
    use Status::{Cancelled, Delivered, Packed, Paid, Placed, Returned, Shipped};
    [
        (Placed,    [Some(Paid), None,         None,          None,            Some(Cancelled), None]),
        (Paid,      [None,       Some(Packed), None,          None,            Some(Cancelled), None]),
        (Packed,    [None,       None,         Some(Shipped), None,            Some(Cancelled), None]),
        (Shipped,   [None,       None,         None,          Some(Delivered), None,            Some(Returned)]),
        (Delivered, [None,       None,         None,          None,            None,            Some(Returned)]),
        (Cancelled, [None; 6]),
        (Returned,  [None; 6]),
    ]
};

#[test]
fn each_status_answers_each_step_as_the_table_says() {
    assert_eq!(TABLE.map(|(from, _)| from), Status::ALL);
    for (from, row) in TABLE {
        for (step, to) in STEPS.into_iter().zip(row) {
            assert_eq!(from.after(step), to.ok_or(WrongStep { from, step }));
        }
    }
}

#[test]
fn there_is_no_way_out_of_an_end() {
    for end in [Status::Cancelled, Status::Returned] {
        assert!(STEPS.iter().all(|step| end.after(*step).is_err()));
    }
}

#[test]
fn each_status_can_be_reached_and_no_life_goes_in_circles() {
    let mut reached = vec![Status::Placed];
    let mut at = 0;
    while let Some(status) = reached.get(at).copied() {
        for next in STEPS.iter().filter_map(|step| status.after(*step).ok()) {
            let rank = |status| Status::ALL.iter().position(|known| *known == status);
            assert!(rank(next) > rank(status), "{status:?} leads back to {next:?}");
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
        at += 1;
    }
    assert_eq!(reached.len(), Status::ALL.len());
}
