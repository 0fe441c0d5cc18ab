//! The front door: who may do what, at which price, and what is shown.

use pulse_core::cart::{Basis, CartError, LineKey};
use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{CartId, CheckoutKey, CommandId, Money, Permission, Principal, Role, UserId};
use pulse_fleet::{FleetOptions, ShopError};

use crate::shop::{Shop, checkout, listed, pieces, sku};

const CART: CartId = CartId(7);
const GUEST: Principal = Principal::Guest;
const REPLAY: Principal = Principal::System("replay");

#[tokio::test(start_paused = true)]
async fn goods_are_listed_at_the_catalogues_price_and_promotions_count() {
    let shop = Shop::new();
    let ten = Promotion { code: "TEN".into(), rule: Rule::Percentage { sku: None, percent: 10 } };
    shop.tables().promotions.push(ten);
    let door = shop.door(FleetOptions::default()).await;
    let view = door.add(&GUEST, CART, CommandId(1), sku(1), pieces(4)).await.unwrap();
    assert_eq!(view.cart.cart.lines[0].price, listed());
    assert_eq!((view.priced.subtotal(), view.priced.total()), (Money::gbp(1000), Money::gbp(900)));
    let seen = door.view(CART).await.unwrap();
    assert_eq!((seen.id, seen.version, seen.priced), (CART, view.version, view.priced));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_product_and_an_unknown_cart() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    let gone = pulse_core::Sku::new("GONE1").unwrap();
    let answer = door.add(&GUEST, CART, CommandId(1), gone, pieces(1)).await;
    assert_eq!(answer.unwrap_err(), ShopError::UnknownProduct(gone));
    let view = door.view(CartId(999)).await.unwrap();
    assert_eq!((view.version.0, view.priced.total()), (0, Money::gbp(0)));
}

#[tokio::test(start_paused = true)]
async fn only_who_may_quote_prices_quotes_them_and_holds_long_carts() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    let buyer = Principal::User { id: UserId(1), role: Role::Support };
    for who in [GUEST, buyer] {
        let answer = door.quote(&who, CART, CommandId(1), sku(1), pieces(1), Money::gbp(1)).await;
        let Err(ShopError::Forbidden(refusal)) = answer else { panic!("{answer:?}") };
        assert_eq!(refusal.permission, Permission::QuotePrice);
    }
    let view = door.quote(&REPLAY, CART, CommandId(1), sku(1), pieces(20_000), Money::gbp(3)).await.unwrap();
    assert_eq!(view.cart.cart.lines[0].price.basis, Basis::Quoted);
    assert_eq!(view.priced.total(), Money::gbp(60_000));
    let receipt =
        door.quote_line(&REPLAY, CART, CommandId(2), sku(1), pieces(1), Money::gbp(4)).await.unwrap();
    assert_eq!(receipt.cart.cart.lines.len(), 2);
    let answer = door.add(&GUEST, CART, CommandId(3), sku(1), pieces(20_000)).await;
    assert!(matches!(answer, Err(ShopError::Cart(CartError::TooMany { .. }))));
    let on_account =
        pulse_fleet::Checkout { payment: pulse_core::order::PaymentMethod::OnAccount, ..checkout("account") };
    let answer = door.checkout(&GUEST, CART, on_account).await;
    assert!(matches!(answer, Err(ShopError::Forbidden(_))));
}

#[tokio::test(start_paused = true)]
async fn lines_are_changed_and_taken_out_by_their_keys() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    let line = LineKey { sku: sku(1), price: listed() };
    door.add(&GUEST, CART, CommandId(1), sku(1), pieces(1)).await.unwrap();
    door.add(&GUEST, CART, CommandId(2), sku(2), pieces(1)).await.unwrap();
    let view = door.set_quantity(&GUEST, CART, CommandId(3), line, pieces(5)).await.unwrap();
    assert_eq!(view.cart.cart.pieces(), 6);
    let view = door.remove(&GUEST, CART, CommandId(4), line).await.unwrap();
    assert_eq!(view.cart.cart.lines.len(), 1);
    let missing = door.remove(&GUEST, CART, CommandId(5), line).await;
    assert_eq!(missing.unwrap_err(), ShopError::Cart(CartError::NoSuchLine { line }));
    let view = door.clear(&GUEST, CART, CommandId(6)).await.unwrap();
    assert!(view.cart.cart.lines.is_empty());
    let key = CheckoutKey::new("k").unwrap();
    let thawed = door.thaw(&GUEST, CART, CommandId(7), key.clone()).await;
    assert_eq!(thawed.unwrap_err(), ShopError::Cart(CartError::NotFrozen { key }));
}
