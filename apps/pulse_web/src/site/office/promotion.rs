//! One promotion: a new one, or one that is changed or ended.
//!
//! **Invariant.** What was typed stays until the catalogue has taken it. Where somebody else has changed the promotion
//! meanwhile, that is said, and its author decides before anything is stored.

mod fields;

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, html};
use pulse_core::Sku;
use pulse_data::catalog::{CatalogError, StoredPromotion};
use serde::Deserialize;

use super::super::parts::{Choice, TextField};
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said};
use super::promotions::{Stage, ended};
use crate::news::{News, Topic};
use fields::{KINDS, Kind};

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// Which one; a new one where absent.
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The fields as they are typed.
    Check(Params),
    /// Store them.
    Save(Params),
    /// Take what somebody else has stored.
    Theirs,
    /// Store mine over it.
    Mine,
    /// It ends now.
    End,
}

pub(crate) struct Promotion {
    desk: Desk,
    /// As it is stored; nothing yet where it is new.
    stored: Option<StoredPromotion>,
    form: Form,
    /// Somebody else has changed it since the form was filled in.
    clash: bool,
}

async fn find(desk: &Desk, code: &str) -> Result<Option<StoredPromotion>, CatalogError> {
    let Ok(who) = desk.visitor().who().await else { return Ok(None) };
    let all = desk.rooms().catalog.promotions(&who).await?;
    Ok(all.into_iter().find(|stored| stored.promotion.code == code))
}

impl Promotion {
    /// What the fields mean; what is wrong with them stands beside them.
    async fn read(&mut self) -> Option<StoredPromotion> {
        let code = self.stored.as_ref().map(|stored| stored.promotion.code.clone());
        let typed = fields::read(&mut self.form, code);
        // Its product must be one: a code that nobody has is found out here, and not by buyers.
        if let Some(sku) = fields::product_typed(&self.form)
            && !self.is_sold(sku).await
        {
            self.form.errors.add("sku", "is no product of the shop");
        }
        typed.filter(|_| self.form.errors.is_empty())
    }

    async fn is_sold(&self, sku: Sku) -> bool {
        let Ok(who) = self.desk.visitor().who().await else { return true };
        !matches!(self.desk.rooms().catalog.get(&who, sku).await, Err(CatalogError::NotFound(_)))
    }

    async fn save(&mut self, cx: &mut Ctx<'_, Self>) {
        let typed = self.read().await;
        let Some(typed) = typed.filter(|_| !self.clash) else {
            return cx.push_event("first-error", serde_json::json!({ "form": "promotion" }));
        };
        self.store(typed, "It is stored, and the open pages know it.", cx).await;
    }

    async fn store(&mut self, new: StoredPromotion, well: &str, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let catalog = &self.desk.rooms().catalog;
        // A new one overwrites nothing, also not what somebody else makes at this moment.
        let stored = match self.stored {
            None => catalog.create_promotion(&who, new.clone()).await,
            Some(_) => catalog.put_promotion(&who, new.clone()).await,
        };
        match stored {
            Ok(()) => {
                self.desk.visitor().state().promotions_changed();
                self.stored = Some(new);
                cx.put_flash("info", well);
                cx.push_navigate(LocalPath::of("/office/promotions"));
            }
            Err(CatalogError::Invalid(errors)) => {
                errors.0.into_iter().for_each(|error| self.form.errors.add(error.field, error.message));
                cx.push_event("first-error", serde_json::json!({ "form": "promotion" }));
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
    }

    /// Somebody has stored a promotion: perhaps this one.
    async fn heard(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(known) = &self.stored else { return };
        match find(&self.desk, &known.promotion.code).await {
            Ok(Some(now)) if now == *known => {}
            Ok(Some(now)) => {
                let untouched = fields::read(&mut self.form.clone(), Some(known.promotion.code.clone()));
                if untouched.as_ref() == Some(known) {
                    self.form = fields::filled(&now);
                } else {
                    self.clash = true;
                }
                self.stored = Some(now);
            }
            Ok(None) => {
                cx.put_flash("info", "Somebody has dropped that promotion.");
                cx.push_navigate(LocalPath::of("/office/promotions"));
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
    }
}

impl LiveView for Promotion {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Promotions, cx, |news| news).await?;
        cx.subscribe(desk.rooms().bus.topics(), Topic::Promotions, |news| news);
        let stored = match &wanted.code {
            None => None,
            Some(code) => Some(find(&desk, code).await.map_err(halt)?.ok_or(Halt::NOT_FOUND)?),
        };
        let title = stored.as_ref().map_or("New promotion", |stored| stored.promotion.code.as_str());
        cx.set_title(title);
        let form = stored.as_ref().map_or_else(fields::empty, fields::filled);
        Ok(Self { desk, stored, form, clash: false })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(typed) => {
                self.form = self.form.clone().typed(&typed);
                self.read().await;
            }
            Event::Save(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.save(cx).await;
            }
            Event::Theirs => {
                if let Some(stored) = &self.stored {
                    (self.form, self.clash) = (fields::filled(stored), false);
                }
            }
            Event::Mine => self.clash = false,
            Event::End => {
                if let Some(stored) = &self.stored {
                    let now = self.desk.rooms().clock.now();
                    self.store(ended(stored, now), "It has ended.", cx).await;
                }
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        match *news {
            News::Promotions => self.heard(cx).await,
            _ => self.desk.heard(&news).await,
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let now = self.desk.rooms().clock.now();
        let ends = self
            .stored
            .as_ref()
            .is_some_and(|stored| matches!(Stage::of(stored, now), Stage::Running | Stage::Planned));
        let content = html! {
            <div class="row apart">
                <h1>{self.stored.as_ref().map_or("New promotion", |stored| stored.promotion.code.as_str())}</h1>
                <Go to={LocalPath::of("/office/promotions")} text="All promotions" class=""/>
            </div>
            <form id="promotion" class="sheet fields" phx-change="check" phx-submit="save" phx-hook="FirstError">
                <div role="status">{self.clash.then(|| html! {
                    <div class="clash row">
                        <span>"Somebody else has changed this promotion."</span>
                        <button class="btn small quiet" type="button" phx-click="theirs">Take theirs</button>
                        <button class="btn small quiet" type="button" phx-click="mine">Keep mine</button>
                    </div>
                })}</div>
                {self.inputs()}
                <div class="row apart">
                    <button class="btn" type="submit" phx-disable-with="One moment…">{if self.stored.is_some() { "Save" } else { "Create" }}</button>
                    {ends.then(|| html! { <button class="btn danger" type="button" phx-click="end" data-confirm="End it now?">End it now</button> })}
                </div>
            </form>
        };
        self.desk.around(page, content)
    }
}

impl Promotion {
    fn inputs(&self) -> Rendered {
        let text = |name: &str, label, kind, hint, required| {
            let field = self.form.field(name);
            TextField { field, label, kind, autocomplete: Some("off"), hint, required }.render()
        };
        let product = |hint, required| text("sku", "Product", "text", Some(hint), required);
        let active = self.form.values().at("active").text() == "true";
        html! {
            {self.stored.is_none().then(|| text("code", "Code", "text", Some("Its name, on receipts too; it never changes."), true))}
            <Choice field={self.form.field("kind")} label="What it does" options={&KINDS.map(|(_, name, label)| (name, label))}/>
            {match Kind::typed(&self.form) {
                Kind::Percentage => html! {
                    {text("percent", "Per cent off", "number", Some("1 to 100."), true)}
                    {product("Its code. Left empty, everything is cheaper.", false)}
                },
                Kind::BuyNGetM => html! {
                    {product("Its code.", true)}
                    {text("buy", "Pieces that are paid", "number", None, true)}
                    {text("free", "Pieces that come with them", "number", None, true)}
                },
                Kind::BasketThreshold => html! {
                    {text("at_least", "From this sum on", "text", Some("In pounds."), true)}
                    {text("off", "So much off", "text", Some("In pounds."), true)}
                },
            }}
            <fieldset class="fields">
                <legend>When</legend>
                {text("starts_at", "From", "datetime-local", Some("In UTC. Left empty, it begins at once."), false)}
                {text("ends_at", "Until", "datetime-local", Some("In UTC. Left empty, it does not end."), false)}
                <input type="hidden" name="promotion[active]" value="false"/>
                <label class="check"><input type="checkbox" name="promotion[active]" value="true" checked={active}/>Switched on</label>
            </fieldset>
        }
    }
}
