//! The back office: figures, products, promotions, orders, returns, jobs, webhooks, the audit trail.
//!
//! **Invariant.** Who works here sees it; what may be done is decided by the contexts, action by action.

mod audit;
mod chart;
mod dashboard;
mod desk;
mod feeds;
mod figures;
mod imports;
mod job;
mod jobs;
mod letter;
mod letters;
mod new_product;
mod order;
mod orders;
mod product;
mod products;
mod promotion;
mod promotions;
mod queues;
mod returns;
mod trade;
mod webhook;
mod webhooks;

use live::LiveSession;

use super::visitor::Visitors;

pub(crate) use figures::Figures;

/// The views of this group.
pub(crate) fn views(group: LiveSession<Visitors>) -> LiveSession<Visitors> {
    group
        .view::<dashboard::Dashboard>("/office")
        .view::<orders::Orders>("/office/orders")
        .view::<order::Order>("/office/orders/{id}")
        .view::<products::Products>("/office/products")
        .view::<new_product::NewProduct>("/office/new-product")
        .view::<product::Product>("/office/products/{sku}")
        .view::<returns::Returns>("/office/returns")
        .view::<promotions::Promotions>("/office/promotions")
        .view::<promotion::Promotion>("/office/new-promotion")
        .view::<promotion::Promotion>("/office/promotions/{code}")
        .view::<jobs::Jobs>("/office/jobs")
        .view::<job::Job>("/office/jobs/{id}")
        .view::<queues::Queues>("/office/queues")
        .view::<webhooks::Webhooks>("/office/webhooks")
        .view::<webhook::Webhook>("/office/webhooks/{id}")
        .view::<feeds::Feeds>("/office/feeds")
        .view::<letters::Letters>("/office/letters")
        .view::<letter::Letter>("/office/letters/{id}")
        .view::<imports::Imports>("/office/imports")
        .view::<audit::Audit>("/office/audit")
}
