//! A view with its page, dead or connected: mounting it and taking its address.
//!
//! Invariant: `mount` and `handle_params` have run, in this order, before anything is rendered.

use std::sync::Arc;

use crate::ctx::{Ctx, Mailbox};
use crate::flash::Flash;
use crate::live::Inner;
use crate::page::{Go, Page};
use crate::params::Params;
use crate::path::LocalPath;
use crate::task::Tasks;
use crate::tree;
use crate::view::{Halt, LiveView};

/// A visit to an address.
pub(crate) struct Arrival {
    pub(crate) live: Arc<Inner>,
    pub(crate) connected: bool,
    pub(crate) uri: LocalPath,
    pub(crate) flash: Flash,
    /// For plain forms; empty where the page is connected.
    pub(crate) csrf_token: Box<str>,
}

pub(crate) struct Mounted<V: LiveView> {
    // In the order of their drop: the view's handles go before the page that serves them.
    pub(crate) view: V,
    pub(crate) scope: V::Scope,
    pub(crate) page: Page,
    pub(crate) mailbox: Option<Mailbox>,
    pub(crate) tasks: Tasks,
}

impl<V: LiveView> Mounted<V> {
    pub(crate) async fn mount(
        arrival: Arrival,
        scope: V::Scope,
        params: &Params,
        mailbox: Option<Mailbox>,
    ) -> Result<Self, Halt> {
        let Arrival { live, connected, uri, flash, csrf_token } = arrival;
        let params = read::<V>(params)?;
        let mut page = Page::new(live, connected, uri, flash);
        page.csrf_token = csrf_token;
        let mut tasks = Tasks::default();
        let mut cx = Ctx { page: &mut page, scope: &scope, mailbox: mailbox.as_ref(), tasks: &mut tasks };
        let view = V::mount(&params, &mut cx).await?;
        let mut mounted = Self { view, scope, page, mailbox, tasks };
        if mounted.page.out.go.is_none() {
            mounted.address(params).await?;
        }
        Ok(mounted)
    }

    async fn address(&mut self, params: V::Params) -> Result<(), Halt> {
        let (view, mut cx) = self.parts();
        view.handle_params(params, &mut cx).await
    }

    /// Takes another address of the same view.
    pub(crate) async fn patched(&mut self, uri: LocalPath, params: &Params) -> Result<(), Halt> {
        let params = read::<V>(params)?;
        self.page.drop_old_flash();
        self.page.uri = uri;
        self.address(params).await
    }

    /// The view and what its handlers see.
    pub(crate) fn parts(&mut self) -> (&mut V, Ctx<'_, V>) {
        let Self { view, scope, page, mailbox, tasks } = self;
        (view, Ctx { page, scope, mailbox: mailbox.as_ref(), tasks })
    }

    /// Where the handlers so far have sent the browser, as the answer of a page that is not shown.
    pub(crate) fn leaving(&mut self) -> Option<Halt> {
        let flash = self.page.flash().clone();
        Some(match self.page.out.go.take()? {
            // The first answer has no history of its own: a patch is a redirect.
            Go::Patch(to, _) | Go::Redirect(to) => Halt::Redirect { to, flash },
            Go::Navigate(to, _) => Halt::Navigate { to, flash },
        })
    }

    /// The whole page as it would be rendered now.
    pub(crate) fn html(&mut self) -> String {
        // Whole: no part is left out.
        let parts = std::mem::take(&mut self.page.parts);
        let root = self.view.render(&self.page);
        self.page.parts = parts;
        let components = self.page.components.render(Some(&root), true);
        tree::Page { root: &root, components: &components }.to_html()
    }
}

/// The view's parameters. An address that does not fit is the address of nothing.
fn read<V: LiveView>(params: &Params) -> Result<V::Params, Halt> {
    params.to().map_err(|error| {
        tracing::debug!(%error, view = std::any::type_name::<V>(), "parameters do not fit the view");
        Halt::NOT_FOUND
    })
}
