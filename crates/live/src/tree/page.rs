//! One render as plain markup: the first answer over HTTP, and what tests compare with.

use super::{Cid, Dyn, List, Rendered, Template};

/// A whole render: the view's own markup and that of its live components.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The view's markup.
    pub root: &'a Rendered,
    /// The components' markup, in any order. A component without markup here shows as nothing.
    pub components: &'a [(Cid, Rendered)],
}

impl Page<'_> {
    /// The markup. A component's element carries `data-phx-component`.
    pub fn to_html(&self) -> String {
        let mut out = String::new();
        self.rendered(self.root, &mut out);
        out
    }

    fn rendered(&self, rendered: &Rendered, out: &mut String) {
        self.gaps(rendered.template, &rendered.dynamics, out);
    }

    fn gaps(&self, template: &Template, dynamics: &[Dyn], out: &mut String) {
        for (text, value) in template.statics.iter().zip(dynamics) {
            out.push_str(text);
            self.value(value, out);
        }
        out.push_str(template.statics[template.gaps()]);
    }

    fn value(&self, value: &Dyn, out: &mut String) {
        match value {
            Dyn::Text(text) => out.push_str(text),
            Dyn::Nested(nested) => self.rendered(nested, out),
            Dyn::List(list) => self.list(list, out),
            Dyn::Component(cid) => self.component(*cid, out),
            Dyn::Shared(shared) => self.rendered(&shared.markup, out),
            // One that is held is in no whole render.
            Dyn::Part(part) => part.markup.iter().for_each(|markup| self.rendered(markup, out)),
        }
    }

    fn list(&self, list: &List, out: &mut String) {
        let Some(template) = list.template else { return };
        for entry in &list.entries {
            self.gaps(template, &entry.dynamics, out);
        }
    }

    fn component(&self, cid: Cid, out: &mut String) {
        let Some((_, markup)) = self.components.iter().find(|(known, _)| *known == cid) else { return };
        let start = out.len();
        self.rendered(markup, out);
        mark(cid, start, out);
    }
}

impl Rendered {
    /// The markup of a render without live components.
    pub fn to_html(&self) -> String {
        Page { root: self, components: &[] }.to_html()
    }
}

impl List {
    /// The markup of the entries one after another.
    pub fn to_html(&self) -> String {
        static NOTHING: Template = Template::new(&[""], false);
        let mut out = String::new();
        let root = Rendered { template: &NOTHING, dynamics: Vec::new() };
        Page { root: &root, components: &[] }.list(self, &mut out);
        out
    }
}

/// Puts `data-phx-component` on the first element from `start` on: by it the client finds the component.
pub(crate) fn mark(cid: impl std::fmt::Display, start: usize, out: &mut String) {
    let Some(open) = out[start..].find('<') else { return };
    let name = start + open + 1;
    let end = out[name..].find([' ', '\n', '>', '/']).map_or(out.len(), |at| name + at);
    out.insert_str(end, &format!(" data-phx-component=\"{cid}\""));
}
