//! News of the shop, from the rooms to the pages that are open.
//!
//! **Invariant.** Telling never waits: a page whose mailbox is full misses a notice, is counted, and reads the truth
//! with the next one. A product that sells many times in a moment is told once, with the stock that it has then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use otp::{PubSub, Published};
use pulse_core::ports::{Bus, Notice};
use pulse_core::{CartId, OrderId, Principal, Sku, UserId};
use pulse_data::catalog::{Catalog, Product};
use tokio::sync::broadcast::error::RecvError;

/// What one can listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One cart.
    Cart(CartId),
    /// One order.
    Order(OrderId),
    /// All orders of one buyer.
    OrdersOf(UserId),
    /// All orders.
    Orders,
    /// Products whose price, stock or text has changed.
    Products,
    /// What makes products and carts cheaper.
    Promotions,
}

/// What listeners are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A cart was stored; read it again.
    Cart(CartId),
    /// An order was placed or has moved on.
    Order(Notice),
    /// These products are now so.
    Products(Arc<[Product]>),
    /// So much has changed that all products should be read again.
    Catalogue,
    /// Promotions have changed; read them again.
    Promotions,
}

/// How long changes of products are gathered before they are told.
const GATHER: Duration = Duration::from_millis(100);

/// More changed products than that at once are not told one by one.
const MANY: usize = 500;

/// The bus of one node: the rooms tell it, pages subscribe to it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LocalBus {
    topics: PubSub<Topic, News>,
}

impl LocalBus {
    /// A bus without listeners.
    pub fn new() -> Self {
        Self::default()
    }

    /// The topics, to subscribe to.
    pub fn topics(&self) -> &PubSub<Topic, News> {
        &self.topics
    }

    /// Notices that did not reach a page because its mailbox was full, since the beginning.
    pub fn missed(&self) -> u64 {
        self.topics.overloaded_count()
    }

    fn publish(&self, topic: Topic, news: News) -> Published {
        self.topics.publish(&topic, news)
    }

    /// Tells changes of products to whoever listens, gathered; ends with the catalogue's last writer. Before it tells,
    /// it has the copies forgotten that a listener might read.
    pub(crate) async fn follow_products(&self, catalog: Catalog, forget: impl Fn() + Send) {
        let mut changes = catalog.changes().subscribe();
        loop {
            let mut gathered = Gathered::default();
            match changes.recv().await {
                Ok(skus) => gathered.add(&skus),
                Err(RecvError::Lagged(_)) => gathered.all = true,
                Err(RecvError::Closed) => return,
            }
            tokio::time::sleep(GATHER).await;
            loop {
                match changes.try_recv() {
                    Ok(skus) => gathered.add(&skus),
                    Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) => gathered.all = true,
                    Err(_) => break,
                }
            }
            forget();
            if self.topics.subscriber_count(&Topic::Products) == 0 {
                continue;
            }
            let news = if gathered.all { News::Catalogue } else { read(&catalog, gathered.skus).await };
            self.publish(Topic::Products, news);
        }
    }
}

#[derive(Default)]
struct Gathered {
    skus: BTreeSet<Sku>,
    all: bool,
}

impl Gathered {
    fn add(&mut self, skus: &[Sku]) {
        if !self.all {
            self.skus.extend(skus);
        }
        if self.skus.len() > MANY {
            (self.all, self.skus) = (true, BTreeSet::new());
        }
    }
}

/// The products as they are now. In the system's name, since hidden ones must be told too, as gone.
async fn read(catalog: &Catalog, skus: BTreeSet<Sku>) -> News {
    let skus: Vec<Sku> = skus.into_iter().collect();
    match catalog.some(&Principal::System("news"), &skus).await {
        Ok(products) => News::Products(products.into()),
        Err(error) => {
            tracing::warn!(%error, "changed products could not be read; pages are told to read for themselves");
            News::Catalogue
        }
    }
}

impl Bus for LocalBus {
    fn tell(&self, notice: Notice) {
        match notice {
            Notice::Cart(id) => {
                self.publish(Topic::Cart(id), News::Cart(id));
            }
            Notice::Promotions => {
                self.publish(Topic::Promotions, News::Promotions);
            }
            Notice::Order { id, buyer, .. } => {
                let news = Arc::new(News::Order(notice));
                self.topics.publish(&Topic::Order(id), Arc::clone(&news));
                if let Some(buyer) = buyer {
                    self.topics.publish(&Topic::OrdersOf(buyer), Arc::clone(&news));
                }
                self.topics.publish(&Topic::Orders, news);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::order::Status;

    #[tokio::test]
    async fn a_buyer_hears_of_its_own_orders_and_the_office_of_all() {
        let bus = LocalBus::new();
        let (ann, mut of_ann) = otp::inbox::<Arc<News>>(4);
        let (office, mut of_office) = otp::inbox::<Arc<News>>(4);
        bus.topics().subscribe(Topic::OrdersOf(UserId(1)), &ann, |news| news);
        bus.topics().subscribe(Topic::Orders, &office, |news| news);
        let order = |id, buyer| Notice::Order { id: OrderId(id), buyer, status: Status::Paid };
        bus.tell(order(1, Some(UserId(2))));
        bus.tell(order(2, Some(UserId(1))));
        bus.tell(order(3, None));
        assert_eq!(*of_ann.recv().await.unwrap(), News::Order(order(2, Some(UserId(1)))));
        for (id, buyer) in [(1, Some(UserId(2))), (2, Some(UserId(1))), (3, None)] {
            assert_eq!(*of_office.recv().await.unwrap(), News::Order(order(id, buyer)));
        }
        drop((ann, office));
        assert_eq!(bus.missed(), 0);
    }

    #[test]
    fn too_many_changes_at_once_become_one() {
        let mut gathered = Gathered::default();
        let sku = |n: usize| Sku::new(&format!("{n:05}")).unwrap();
        gathered.add(&(0..MANY).map(sku).collect::<Vec<_>>());
        assert!(!gathered.all);
        gathered.add(&[sku(0)]);
        assert!(!gathered.all, "a product twice is one");
        gathered.add(&[sku(MANY)]);
        assert!(gathered.all && gathered.skus.is_empty());
    }
}
