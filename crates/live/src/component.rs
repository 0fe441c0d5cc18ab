//! Parts of a view with state and events of their own.
//!
//! Invariant: a component lives as long as its handle; its number is never used again; and it is rendered when it is
//! shown first or has changed, not when the view around it has.

use std::any::Any;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};

use serde::de::DeserializeOwned;

use crate::diff::Shadow;
use crate::event::{ClientEvent, EventError};
use crate::html::Render;
use crate::page::Page;
use crate::tree::{Cid, Dyn, Rendered};

/// A part of a view with state of its own. It lives in the view's server: its handlers run there, one at a time with
/// the view's.
pub trait LiveComponent: Sized + Send + 'static {
    /// Its events: those whose `phx-target` is its number or an element inside it.
    type Event: DeserializeOwned + Send;
    /// What the view tells it by [`Page::update`].
    type Update: Send;

    /// Takes what the view tells.
    fn update(&mut self, _update: Self::Update, _page: &mut Page) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Handles an event of its own.
    fn handle_event(&mut self, _event: Self::Event, _page: &mut Page) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Its markup: one element, or it is put into a `<div>`. `phx-target={cid}` makes the events inside its own.
    fn render(&self, cid: Cid) -> Rendered;
}

/// The handle of a component: keep it in the view's state. Dropped, the component is gone.
pub struct Component<C> {
    cid: Cid,
    /// The page holds the other half, weakly.
    _alive: Arc<()>,
    kind: PhantomData<fn() -> C>,
}

impl<C> Component<C> {
    /// Its number: what stands in the template.
    pub fn cid(&self) -> Cid {
        self.cid
    }

    /// Its place in a template.
    pub fn place(&self) -> Dyn {
        Dyn::Component(self.cid)
    }
}

impl<C> Render for &Component<C> {
    fn render(self) -> Dyn {
        self.place()
    }
}

impl<C> std::fmt::Debug for Component<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Component({})", self.cid)
    }
}

/// The components of one page.
#[derive(Default)]
pub(crate) struct Components {
    /// In the order of their numbers.
    slots: Vec<Slot>,
    last: Option<Cid>,
}

pub(crate) struct Slot {
    cid: Cid,
    state: Box<dyn AnyComponent>,
    alive: Weak<()>,
    /// It has changed since it was rendered.
    dirty: bool,
    /// The client has it.
    sent: bool,
}

type Handled<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

trait AnyComponent: Send {
    fn render(&self, cid: Cid) -> Rendered;
    fn handle<'a>(&'a mut self, event: &ClientEvent, page: &'a mut Page) -> Result<Handled<'a>, EventError>;
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<C: LiveComponent> AnyComponent for C {
    fn render(&self, cid: Cid) -> Rendered {
        LiveComponent::render(self, cid)
    }

    fn handle<'a>(&'a mut self, event: &ClientEvent, page: &'a mut Page) -> Result<Handled<'a>, EventError> {
        let event = event.read::<C::Event>()?;
        Ok(Box::pin(self.handle_event(event, page)))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Slot {
    /// The component, to be changed.
    pub(crate) fn state_mut<C: LiveComponent>(&mut self) -> Option<&mut C> {
        self.dirty = true;
        self.state.as_any().downcast_mut()
    }
}

impl Components {
    pub(crate) fn add<C: LiveComponent>(&mut self, component: C) -> Component<C> {
        let next = self.last.map_or(Some(Cid::FIRST), Cid::next);
        // Four thousand million components on one page: the view ends, and its next life counts from 1.
        let Some(cid) = next else { panic!("this page has used up the numbers of components") };
        self.last = Some(cid);
        self.slots.retain(|slot| slot.sent || slot.alive.strong_count() > 0);
        let alive = Arc::new(());
        let slot =
            Slot { cid, state: Box::new(component), alive: Arc::downgrade(&alive), dirty: true, sent: false };
        self.slots.push(slot);
        Component { cid, _alive: alive, kind: PhantomData }
    }

    fn place(&self, cid: Cid) -> Option<usize> {
        self.slots.binary_search_by_key(&cid, |slot| slot.cid).ok()
    }

    /// Takes a component out while a handler of its own has the page. O(components).
    pub(crate) fn take(&mut self, cid: Cid) -> Option<Slot> {
        let place = self.place(cid).filter(|&at| self.slots[at].alive.strong_count() > 0)?;
        Some(self.slots.remove(place))
    }

    pub(crate) fn put_back(&mut self, slot: Slot) {
        let place = self.slots.partition_point(|known| known.cid < slot.cid);
        self.slots.insert(place, slot);
    }

    /// The markup of those that `root` shows and the client lacks, and of those that changed. What they show in turn
    /// is among them. With `whole`, of all that can be seen.
    pub(crate) fn render(&mut self, root: Option<&Rendered>, whole: bool) -> Vec<(Cid, Rendered)> {
        if self.slots.is_empty() {
            return Vec::new();
        }
        let mut shown = Vec::new();
        if let Some(root) = root {
            root.components(&mut |cid| shown.push(cid));
        }
        let changed =
            self.slots.iter().filter(|slot| slot.dirty && slot.sent && slot.alive.strong_count() > 0);
        shown.extend(changed.map(|slot| slot.cid));
        let mut markup: Vec<(Cid, Rendered)> = Vec::new();
        while let Some(cid) = shown.pop() {
            let Some(place) = self.place(cid) else { continue };
            let slot = &mut self.slots[place];
            if !(whole || slot.dirty || !slot.sent) || markup.iter().any(|(known, _)| *known == cid) {
                continue;
            }
            let rendered = slot.state.render(cid).into_element();
            if !whole {
                slot.dirty = false;
                slot.sent = true;
            }
            rendered.components(&mut |cid| shown.push(cid));
            markup.push((cid, rendered));
        }
        markup.sort_by_key(|(cid, _)| *cid);
        markup
    }

    /// Takes over what the client holds: one that left the page is rendered again when it comes back.
    pub(crate) fn held(&mut self, shadow: &Shadow) {
        for slot in &mut self.slots {
            slot.sent = shadow.holds(slot.cid);
        }
        self.slots.retain(|slot| slot.sent || slot.alive.strong_count() > 0);
    }

    /// The client has destroyed these. Those whose handles are dropped end here.
    pub(crate) fn destroyed(&mut self, cids: &[Cid]) {
        for &cid in cids {
            if let Some(place) = self.place(cid) {
                self.slots[place].sent = false;
            }
        }
        self.slots.retain(|slot| slot.sent || slot.alive.strong_count() > 0);
    }
}

impl Page {
    /// Runs a component's own handler.
    pub(crate) async fn component_event(&mut self, cid: Cid, event: &ClientEvent) -> Result<(), EventError> {
        let Some(mut slot) = self.components.take(cid) else {
            return Err(EventError::ComponentGone { event: event.name.clone(), cid: i64::from(cid.get()) });
        };
        let handled = match slot.state.handle(event, self) {
            Ok(handling) => {
                handling.await;
                slot.dirty = true;
                Ok(())
            }
            Err(error) => Err(error),
        };
        self.components.put_back(slot);
        handled
    }
}
