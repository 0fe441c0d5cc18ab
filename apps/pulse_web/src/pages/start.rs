//! The start page: what is here.

use super::Page;

/// The page at `/`.
pub(crate) fn start() -> Page {
    Page::new(
        "Pulse",
        "<h1>Pulse</h1>\n<p>A shop that runs on one binary. This is its API; pages to shop on come later.</p>\n\
         <ul class=\"cards\">\n\
         <li><h3><a href=\"/api/v1/products\">Products</a></h3><p class=\"soft\">The first page of the catalogue, as JSON.</p></li>\n\
         <li><h3><a href=\"/api/v1/products?search=heart&amp;sort=price_asc&amp;limit=5\">A search</a></h3>\
         <p class=\"soft\">Five products with a heart in their name, cheapest first.</p></li>\n\
         <li><h3><a href=\"/api/v1/cart\">Your cart</a></h3><p class=\"soft\">Empty, until something is put in.</p></li>\n\
         <li><h3><a href=\"/api/docs\">How to use the API</a></h3><p class=\"soft\">Every operation, its fields and its answers.</p></li>\n\
         <li><h3><a href=\"/api/openapi.json\">OpenAPI 3.1</a></h3><p class=\"soft\">The same for programs.</p></li>\n\
         </ul>\n\
         <h2>From a terminal</h2>\n\
         <pre><code>curl -c jar -b jar localhost:4000/api/v1/cart/lines \\\n  \
         -H 'content-type: application/json' \\\n  -d '{\"sku\":\"85123A\",\"quantity\":6}'\n\
         curl -c jar -b jar localhost:4000/api/v1/checkout \\\n  -H 'content-type: application/json' \\\n  \
         -H \"idempotency-key: $(uuidgen)\" \\\n  -d '{\"email\":\"ann@shop.example\",\"country\":\"United Kingdom\"}'</code></pre>\n",
    )
}
