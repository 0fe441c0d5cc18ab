//! Another password for somebody who is signed in.
//!
//! **Invariant.** The old password is asked for, and its attempts are counted as those of signing in are; with the new one
//! all other sessions end. No password comes back into the page.

use live::{Form, Rendered, html};
use pulse_data::accounts::AccountError;

use super::super::shop::typed::{self, Secret};
use super::super::visitor::Visitor;
use crate::field::{Password, TriedPassword};

/// The form as it is at first.
pub(super) fn empty() -> Form {
    Form::new("change")
}

/// What is wrong with the fields stands beside them.
pub(super) fn check(form: &mut Form) {
    typed::read::<TriedPassword>(form, "old_password");
    if typed::read::<Password>(form, "new_password").is_some()
        && form.values().at("new_password").text() == form.values().at("old_password").text()
    {
        form.errors.add("new_password", "is the one you have");
    }
}

/// Changes the password. What the account's room finds wrong stands beside the fields too.
pub(super) async fn change(visitor: &Visitor, form: &mut Form) -> Result<(), AccountError> {
    check(form);
    if !form.errors.is_empty() {
        return Ok(());
    }
    let who = visitor.who().await.map_err(|_| AccountError::Overloaded)?;
    let values = form.values();
    let (old, new) = (values.at("old_password").text(), values.at("new_password").text());
    let accounts = &visitor.rooms().accounts;
    match accounts.change_password(&who, old, new, visitor.session()).await {
        // Who is signed in is known: it is the password that is another one.
        Err(AccountError::WrongCredentials) if who.user().is_some() => {
            form.errors.add("old_password", "is another one");
            Ok(())
        }
        Err(AccountError::Throttled { retry_after }) => {
            let seconds = retry_after.as_secs().max(1);
            form.errors.add("old_password", format!("was tried too often: try again in {seconds} s"));
            Ok(())
        }
        Err(AccountError::Invalid(errors)) => {
            errors.0.into_iter().for_each(|error| form.errors.add(error.field, error.message));
            Ok(())
        }
        other => other,
    }
}

/// The form in its section. `times` is how often the password was changed here: a form that did its work goes, with what was
/// typed into it.
pub(super) fn section(form: &Form, times: u32) -> Rendered {
    let length = format!("{} characters or more. Length is what counts.", Password::MIN);
    html! {
        <section class="sheet stack" aria-labelledby="password">
            <h2 id="password">Password</h2>
            <form id={format!("change-{times}")} class="fields" phx-change="choose" phx-submit="change_password">
                <Secret field={form.field("old_password")} label="The one you have" autocomplete="current-password" hint={None}/>
                <Secret field={form.field("new_password")} label="Another one" autocomplete="new-password" hint={Some(length)}/>
                <div class="row apart">
                    <button class="btn quiet" type="submit" phx-disable-with="One moment…">Change the password</button>
                    <a class="small" href="/password/forgot">I forgot the one I have</a>
                </div>
            </form>
        </section>
    }
}
