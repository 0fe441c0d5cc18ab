//! What a page of sixty products costs: rendering it, finding the one stock that changed, and remembering it.
#![expect(clippy::print_stdout, reason = "the sizes are figures as the times are")]
#![expect(clippy::unwrap_used, reason = "no page here leaves a part out")]

use divan::{Bencher, black_box};
use live::{Extras, Frame, Rendered, Shadow, each, html};

fn main() {
    let (before, after) = (page(&products(7)), page(&products(6)));
    let mut out = Vec::new();
    let mut shadow = Shadow::full(&frame(&before), &Extras::default(), &mut out).unwrap();
    println!("first render: {} bytes of JSON, {} of HTML", out.len(), before.to_html().len());
    println!("a shadow: {} bytes on the heap", shadow.heap());
    out.clear();
    shadow.diff(&frame(&after), &Extras::default(), &mut out).unwrap();
    println!("one stock changed: {} bytes, {}", out.len(), String::from_utf8_lossy(&out));
    divan::main();
}

struct Product {
    id: u32,
    code: String,
    name: String,
    pence: u32,
    stock: u32,
}

fn products(stock_of_one: u32) -> Vec<Product> {
    let product = |id: u32| Product {
        id,
        code: format!("{}A", 84_000 + id),
        name: format!("CREAM CUPID HEARTS COAT HANGER & HOOK {id}"),
        pence: 275 + id,
        stock: if id == 37 { stock_of_one } else { 12 + id },
    };
    (0..60).map(product).collect()
}

fn page(products: &[Product]) -> Rendered {
    html! {
        <main class="catalogue">
            <h1>Catalogue</h1>
            <form phx-change="search"><input name="q" value={""}/></form>
            <p>{products.len()} products</p>
            <ul>
                {each(products, |product| product.id, |product| html! {
                    <li id={format!("product-{}", product.id)} class={("product", (product.stock < 10).then_some("low"))}>
                        <a href={format!("/products/{}", product.code)}>{&product.name}</a>
                        <span class="price">"£"{product.pence / 100}"."{format!("{:02}", product.pence % 100)}</span>
                        <span class="stock">{product.stock} left</span>
                        {if product.stock > 0 { html! {
                            <button phx-click="add" phx-value-code={&product.code}>"Add"</button>
                        } }}
                    </li>
                })}
            </ul>
        </main>
    }
}

fn frame(root: &Rendered) -> Frame<'_> {
    Frame { root: Some(root), components: &[] }
}

/// `render` of the view: the values become text.
#[divan::bench]
fn render(bencher: Bencher<'_, '_>) {
    let products = products(7);
    bencher.bench_local(|| page(black_box(&products)));
}

/// The difference of two renders, as JSON.
#[divan::bench]
fn diff_one_stock(bencher: Bencher<'_, '_>) {
    let (before, after) = (page(&products(7)), page(&products(6)));
    let mut out = Vec::new();
    let mut shadow = Shadow::full(&frame(&before), &Extras::default(), &mut out).unwrap();
    let mut turn = false;
    bencher.bench_local(|| {
        turn = !turn;
        out.clear();
        shadow
            .diff(&frame(black_box(if turn { &after } else { &before })), &Extras::default(), &mut out)
            .unwrap()
    });
}

/// All of what a stock change costs a page: render and diff.
#[divan::bench]
fn render_and_diff_one_stock(bencher: Bencher<'_, '_>) {
    let stocks = [products(7), products(6)];
    let mut out = Vec::new();
    let mut shadow = Shadow::full(&frame(&page(&stocks[0])), &Extras::default(), &mut out).unwrap();
    let mut turn = 0;
    bencher.bench_local(|| {
        turn = 1 - turn;
        out.clear();
        shadow.diff(&frame(&page(black_box(&stocks[turn]))), &Extras::default(), &mut out).unwrap()
    });
}

/// The first render whole, as a join answers it.
#[divan::bench]
fn full(bencher: Bencher<'_, '_>) {
    let page = page(&products(7));
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        Shadow::full(&frame(black_box(&page)), &Extras::default(), &mut out).unwrap()
    });
}
