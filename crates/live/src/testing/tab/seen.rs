//! What there is to see on an open page.
//!
//! **Invariant.** All of it is read off the markup that the merged diffs have given, and nothing off the view itself.

use scraper::Html;
use serde_json::Value;

use super::super::dom;
use super::{Departure, Tab};

impl Tab {
    /// The view's markup as the client has it.
    pub fn html(&self) -> &str {
        self.client.html()
    }

    /// The text of the one element that a selector finds, with white space folded.
    ///
    /// # Panics
    /// If it finds none, or several.
    pub fn text(&self, selector: &str) -> String {
        let (html, page) = self.parsed();
        dom::text(dom::one(&html, selector, &page))
    }

    /// The texts of all elements that a selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let (html, _) = self.parsed();
        dom::select(&html, selector).into_iter().map(dom::text).collect()
    }

    /// An attribute of the one element that a selector finds.
    ///
    /// # Panics
    /// If it finds none, or several.
    pub fn attr(&self, selector: &str, name: &str) -> Option<String> {
        let (html, page) = self.parsed();
        dom::one(&html, selector, &page).attr(name).map(str::to_owned)
    }

    /// How many elements a selector finds.
    pub fn count(&self, selector: &str) -> usize {
        let (html, _) = self.parsed();
        dom::select(&html, selector).len()
    }

    /// Whether a selector finds anything.
    pub fn has(&self, selector: &str) -> bool {
        self.count(selector) > 0
    }

    /// The page's title, once the view has set one.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The page's address.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The events that the view has pushed since the last call.
    pub fn events(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.events)
    }

    /// Where the view has sent the browser.
    pub fn departure(&self) -> Option<&Departure> {
        self.departure.as_ref().map(|(departure, _)| departure)
    }

    /// The markup, to be searched, and as it is, to be shown where the search fails.
    pub(super) fn parsed(&self) -> (Html, String) {
        (Html::parse_fragment(self.html()), self.html().to_owned())
    }
}
