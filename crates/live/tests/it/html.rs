//! What `html!` makes of templates.

use live::html::{Attributes, Component, Raw, TrustedUrl, refused_urls, text};
use live::{Cid, Dyn, Rendered, each, html};

fn statics(rendered: &Rendered) -> &'static [&'static str] {
    rendered.template().statics
}

#[test]
fn constant_markup_is_one_string_and_values_are_apart() {
    let n = 3;
    let page = html! { <p class="a" title={n}>"n: "{n}<br>{"<literal>"}</p> };
    assert_eq!(statics(&page), ["<p class=\"a\"", ">n: ", "<br>&lt;literal&gt;</p>"]);
    assert_eq!(page.to_html(), "<p class=\"a\" title=\"3\">n: 3<br>&lt;literal&gt;</p>");
    assert!(page.template().root);
}

#[test]
fn a_call_site_has_one_template_and_another_site_has_another() {
    let page = |n: u32| html! { <p>{n}</p> };
    assert!(std::ptr::eq(page(1).template(), page(2).template()));
    let alike = html! { <p>{3}</p> };
    assert!(!std::ptr::eq(page(1).template(), alike.template()));
}

#[test]
fn text_is_escaped_between_tags_and_in_attributes() {
    let evil = "<script>\"'&";
    let page = html! { <p title={evil} class={evil}>{evil}{String::from(evil)}{text(evil)}{'<'}</p> };
    let safe = "&lt;script&gt;&quot;&#39;&amp;";
    assert_eq!(page.to_html(), format!("<p title=\"{safe}\" class=\"{safe}\">{safe}{safe}{safe}&lt;</p>"));
    assert_eq!(html! { <p>{Raw::new("<b>&amp;</b>")}</p> }.to_html(), "<p><b>&amp;</b></p>");
}

#[test]
fn a_flag_is_a_bare_name_or_nothing_and_none_is_nothing() {
    let page = |on: bool, title: Option<&str>| {
        html! { <input disabled={on} title={title} data-x={Some(1)} checked/> }.to_html()
    };
    assert_eq!(page(true, Some("t")), "<input disabled title=\"t\" data-x=\"1\" checked>");
    assert_eq!(page(false, None), "<input data-x=\"1\" checked>");
}

#[test]
fn classes_are_joined_and_what_is_off_leaves_no_space() {
    let on = |on: bool| on.then_some("on");
    assert_eq!(
        html! { <p class={("a", on(true), ["b", "", "c"])}></p> }.to_html(),
        "<p class=\"a on b c\"></p>"
    );
    assert_eq!(html! { <p class={(on(false), "a")}></p> }.to_html(), "<p class=\"a\"></p>");
    assert_eq!(html! { <p class={on(false)}></p> }.to_html(), "<p class=\"\"></p>");
}

#[test]
fn an_address_that_runs_a_script_is_refused_and_counted() {
    let evil = [
        "javascript:alert(1)",
        " \u{1}JaVaScRiPt:alert(1)",
        "java\nscript\t:alert(1)",
        "vbscript:x",
        "data:text/html,<script>",
        "data:image/svg+xml,<svg onload=x>",
        "view-source:x",
    ];
    let before = refused_urls();
    for url in evil {
        assert_eq!(html! { <a href={url}></a> }.to_html(), "<a href=\"about:invalid\"></a>", "{url:?}");
        assert_eq!(
            html! { <form action={Some(url)}></form> }.to_html(),
            "<form action=\"about:invalid\"></form>"
        );
    }
    assert!(refused_urls() >= before + 14);
    let good = [
        "/a?b=c:d",
        "#x",
        "a/b:c",
        "https://a/",
        "MAILTO:a@b",
        "tel:+1",
        "",
        "data:image/png;base64,AA",
        "?q=javascript:",
    ];
    for url in good {
        let page = html! { <img src={url}/> }.to_html();
        assert_eq!(page, format!("<img src=\"{url}\">"));
    }
    let trusted = TrustedUrl::new("sms:+1&x");
    assert_eq!(html! { <a href={trusted}></a> }.to_html(), "<a href=\"sms:+1&amp;x\"></a>");
}

#[test]
fn attributes_of_run_time_names_are_spread_and_dangerous_ones_are_refused() {
    let rest = Attributes::new().with("data-a", "<").unwrap().with("hidden", true).unwrap();
    assert_eq!(html! { <p {rest}></p> }.to_html(), "<p data-a=\"&lt;\" hidden></p>");
    for name in ["onclick", "ONload", "href", "srcdoc", "a b", "x>", ""] {
        assert!(Attributes::new().with(name, "v").is_err(), "{name}");
    }
}

#[test]
fn branches_may_differ_in_kind() {
    let page = |n: u32| {
        html! { <p>
            {if n > 2 { html! { <b>{n}</b> } } else if n == 2 { "two" }}
            {match n { 0 => Dyn::empty(), 1 => html! { <i></i> }, n if n > 5 => n, _ => "some" }}
            {(n == 1).then(|| html! { <u></u> })}
        </p> }
        .to_html()
    };
    assert_eq!(page(0), "<p></p>");
    assert_eq!(page(1), "<p><i></i><u></u></p>");
    assert_eq!(page(2), "<p>twosome</p>");
    assert_eq!(page(7), "<p><b>7</b>7</p>");
}

#[test]
fn a_block_may_have_statements() {
    let page = html! { <p>{let n = 1; let m = n + 1; html! { <b>{m}</b> }}</p> };
    assert_eq!(page.to_html(), "<p><b>2</b></p>");
}

#[test]
fn lists_are_keyed_or_by_place() {
    let page = html! { <ul>{each([1, 2], |n| *n, |n| html! { <li>{n}</li> })}</ul> };
    assert_eq!(page.to_html(), "<ul><li>1</li><li>2</li></ul>");
    let plain: Vec<Rendered> = (1..3).map(|n| html! { <li>{n}</li> }).collect();
    assert_eq!(html! { <ul>{plain}</ul> }.to_html(), "<ul><li>1</li><li>2</li></ul>");
    assert!(matches!(html! { <div>{Cid::FIRST}</div> }.dynamics(), [Dyn::Component(Cid::FIRST)]));
}

#[derive(Default)]
struct Card {
    title: String,
    big: bool,
    level: u8,
    header: Option<Rendered>,
    footer: Option<Rendered>,
    children: Option<Rendered>,
}

impl Component for Card {
    fn render(self) -> Rendered {
        html! { <section class={("card", self.big.then_some("big"))} data-level={self.level}>
            {self.header}<h2>{self.title}</h2>{self.children}{self.footer}
        </section> }
    }
}

#[test]
fn a_component_is_a_struct_with_children_and_slots() {
    let n = 4;
    let page = html! {
        <div>
            <Card title="Tea" big level={2} {..Card::default()}>
                <slot:header><i>{n}</i></slot:header>
                Green {n}
            </Card>
            <self::Card title={format!("T{n}")} {..Default::default()}/>
        </div>
    };
    assert_eq!(
        page.to_html(),
        "<div><section class=\"card big\" data-level=\"2\"><i>4</i><h2>Tea</h2>Green 4</section>\
         <section class=\"card\" data-level=\"0\"><h2>T4</h2></section></div>"
    );
}

#[test]
fn white_space_is_one_space_on_a_line_and_nothing_between_lines() {
    let (a, b) = (1, 2);
    let page = html! {
        <p>
            Hello,   world (really)!
            second line <b>bold</b> {a} {b}{a}
            <i> x </i><i>y</i>
            {b}
        </p>
    };
    assert_eq!(
        page.to_html(),
        "<p>Hello, world (really)! second line <b>bold</b> 1 21<i> x </i><i>y</i>2</p>"
    );
    assert_eq!(html! { <p>"it's  as it is "{a}{" "}</p> }.to_html(), "<p>it&#39;s  as it is 1 </p>");
}

#[test]
fn void_elements_have_no_end_and_others_always_have() {
    let page = html! { <div><hr><img src="/a"/><svg viewBox="0 0 1 1"><path d="M0 0"/></svg><span/></div> };
    assert_eq!(
        page.to_html(),
        "<div><hr><img src=\"/a\"><svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"></path></svg><span></span></div>"
    );
}

#[test]
fn only_a_single_element_is_a_root() {
    let root = |page: &Rendered| page.template().root;
    assert!(root(&html! { <p></p> }));
    assert!(root(&html! { <!-- "not sent" --> <p></p> }));
    assert!(!root(&html! { <p></p><p></p> }));
    assert!(!root(&html! { text }));
    assert!(!root(&html! { {1} }));
    assert!(!root(&html! { <Card {..Card::default()}/> }));
    assert!(!root(&html! {}));
}

#[test]
fn a_whole_document_can_be_written() {
    let page = html! {
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"/><style>"p { color: red }"</style></head><body></body></html>
    };
    assert_eq!(
        page.to_html(),
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><style>p { color: red }</style></head>\
         <body></body></html>"
    );
}
