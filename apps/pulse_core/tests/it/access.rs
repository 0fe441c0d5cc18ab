//! Who may do what: trust grows from role to role.

use proptest::prelude::*;
use pulse_core::{Permission, Principal, Role, UserId};

const ALL: [Permission; 13] = [
    Permission::BrowseCatalog,
    Permission::EditCatalog,
    Permission::ManageStock,
    Permission::PlaceOrder,
    Permission::QuotePrice,
    Permission::SeeOrders,
    Permission::FulfilOrders,
    Permission::TakeReturns,
    Permission::ManageAccounts,
    Permission::ReadAudit,
    Permission::RunFeeds,
    Permission::ManageWebhooks,
    Permission::ManageJobs,
];

fn of(role: Role) -> Vec<Permission> {
    let who = Principal::User { id: UserId(1), role };
    ALL.into_iter().filter(|permission| who.may(*permission)).collect()
}

#[test]
fn each_role_has_more_than_the_one_below_it() {
    for (lower, higher) in Role::ALL.iter().zip(Role::ALL.iter().skip(1)) {
        let (less, more) = (of(*lower), of(*higher));
        assert!(less.iter().all(|permission| more.contains(permission)), "{lower} has what {higher} lacks");
        assert!(more.len() > less.len(), "{higher} has no more than {lower}");
    }
    assert_eq!(of(Role::Admin), ALL);
}

#[test]
fn a_guest_may_do_what_a_buyer_may_and_the_shop_itself_everything() {
    let guest: Vec<_> = ALL.into_iter().filter(|permission| Principal::Guest.may(*permission)).collect();
    assert_eq!(guest, of(Role::Buyer));
    assert_eq!(guest, [Permission::BrowseCatalog, Permission::PlaceOrder]);
    assert!(ALL.iter().all(|permission| Principal::System("replay").may(*permission)));
}

#[test]
fn prices_and_accounts_are_not_in_the_hands_of_support() {
    let support = of(Role::Support);
    assert!(!support.contains(&Permission::QuotePrice));
    assert!(!of(Role::Manager).contains(&Permission::ManageAccounts));
}

proptest! {
    #[test]
    fn require_refuses_exactly_what_may_denies(role in 0..4_usize, permission in 0..ALL.len(), id in any::<i64>()) {
        let who = Principal::User { id: UserId(id), role: Role::ALL[role] };
        let permission = ALL[permission];
        prop_assert_eq!(who.require(permission).is_ok(), who.may(permission));
        if let Err(refusal) = who.require(permission) {
            prop_assert_eq!(refusal.permission, permission);
        }
    }
}
