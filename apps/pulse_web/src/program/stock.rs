//! `shop:stock`: what has changed in stock and price, for everybody.
//!
//! **Invariant.** A change is encoded once, however many listen, and read from nobody's account: it is what the catalogue
//! shows everybody. While nobody listens, nothing is read.

use std::sync::{Arc, Mutex, PoisonError};

use channels::{Broadcaster, Channel, Ctx, Join, JoinRefused, Joined, Payload};
use otp::Addr;
use pulse_core::{Principal, Sku};
use pulse_data::catalog::Product;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Deaf, Program};
use crate::api::shapes::MoneyView;
use crate::news::{News, Topic};
use crate::state::AppState;

pub(super) const TOPIC: &str = "shop:stock";

/// Products that an answer to a join can have.
const MOST: usize = 200;

/// News that may wait for the relay: each is up to 100 ms of changes.
const WAITING: u32 = 256;

/// One product, as it is told.
#[derive(Serialize)]
struct Told<'a> {
    sku: &'a str,
    stock: i64,
    price: MoneyView,
    /// Whether it is for sale.
    active: bool,
}

fn told(products: &[Product]) -> Result<Payload, serde_json::Error> {
    #[derive(Serialize)]
    struct All<'a> {
        products: Vec<Told<'a>>,
    }
    let one = |product| {
        let Product { sku, stock, price, active, .. }: &Product = product;
        Told { sku: sku.as_str(), stock: *stock, price: (*price).into(), active: *active }
    };
    Payload::json(&All { products: products.iter().map(one).collect() })
}

/// Takes changes from the bus and tells them to all who listen.
pub(super) struct Relay {
    state: AppState,
    inbox: Addr<Arc<News>>,
    /// How many listen; with the first one the relay listens too.
    listeners: Mutex<usize>,
}

impl Relay {
    pub(super) fn new(state: AppState, broadcaster: Broadcaster) -> Arc<Self> {
        let (addr, mut inbox) = otp::inbox::<Arc<News>>(WAITING);
        tokio::spawn(async move {
            while let Some(news) = inbox.recv().await {
                let sent = match &*news {
                    News::Products(products) => match told(products) {
                        Ok(payload) => broadcaster.broadcast(TOPIC, "stock", payload),
                        Err(error) => {
                            tracing::error!(%error, "changed products could not be encoded");
                            continue;
                        }
                    },
                    News::Catalogue => broadcaster.broadcast(TOPIC, "reset", Payload::empty()),
                    _ => continue,
                };
                if let Err(error) = sent {
                    tracing::error!(%error, "changed products could not be told");
                }
            }
        });
        Arc::new(Self { state, inbox: addr, listeners: Mutex::new(0) })
    }

    fn listen(self: &Arc<Self>) -> Listening {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        *listeners += 1;
        if *listeners == 1 {
            self.state.rooms().bus.topics().subscribe(Topic::Products, &self.inbox, |news| news);
        }
        Listening(self.clone())
    }
}

/// Somebody listens as long as it has this.
struct Listening(Arc<Relay>);

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        *listeners -= 1;
        if *listeners == 0 {
            self.0.state.rooms().bus.topics().unsubscribe(&Topic::Products, &self.0.inbox);
        }
    }
}

/// One who listens.
pub(super) struct Stock {
    _listening: Listening,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    skus: Vec<String>,
}

impl Channel for Stock {
    type Assigns = Program;
    type Context = Relay;
    type Info = ();

    async fn join(join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        let Ok(Wanted { skus }) = join.json() else {
            return Err(JoinRefused::reason("skus must be a list of product codes"));
        };
        if skus.len() > MOST {
            return Err(JoinRefused::reason("at most 200 skus: ask the API for more"));
        }
        let skus: Result<Vec<Sku>, _> = skus.iter().map(|sku| Sku::new(sku)).collect();
        let Ok(skus) = skus else { return Err(JoinRefused::reason("skus must be product codes")) };
        // First listen, then look: what changes in between is told.
        let listening = ctx.context().listen();
        let catalog = &ctx.context().state.rooms().catalog;
        let products = catalog.some(&Principal::Guest, &skus).await.map_err(|error| {
            tracing::warn!(%error, "products could not be read for a program");
            Deaf::Unavailable
        })?;
        let answer = told(&products).map_err(|_| Deaf::Unavailable)?;
        Ok(Joined::with(Self { _listening: listening }, answer))
    }

    async fn handle_in(&mut self, _: channels::Push, _: &mut Ctx<'_, Self>) -> channels::Answer {
        channels::Answer::error(json!({ "reason": "nothing can be asked here" }))
    }
}
