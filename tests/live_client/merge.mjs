// The official client's merge as a process: reads one JSON request a line, answers one line.
//
//   {"join": true, "diff": {…}}                 a new page
//   {"destroyed": [cid, …], "diff": {…}}        the next message of that page
//
// answers {"html": "…"} (the page as a browser would show it) or {"error": "…"}.
//
// The package's built files do not export its `Rendered` class, so its source is bundled here, in memory.

import { createInterface } from "node:readline";
import { build } from "esbuild";

const bundle = await build({
  stdin: {
    contents: `
      export { default as Rendered } from "phoenix_live_view_source/rendered.js";
      export { RenderingBuffer } from "phoenix_live_view_source/rendered/buffer";
      export { modifyRoot } from "phoenix_live_view_source/rendered/modify_root";
    `,
    resolveDir: import.meta.dirname,
  },
  alias: {
    phoenix_live_view_source: `${import.meta.dirname}/node_modules/phoenix_live_view/assets/js/phoenix_live_view`,
  },
  bundle: true,
  format: "esm",
  write: false,
});
globalThis.window = globalThis;
const source = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { Rendered, RenderingBuffer, modifyRoot } = await import(`data:text/javascript;base64,${source}`);

// Stands for the DOM. The client gives each element with `r` an id and sends an empty element where it believes that
// the element in the DOM is still right; so each is kept here by its id, with a mark where another stands within.
const MARK = /\u0002(.*?)\u0003/g;

class Page {
  constructor(rendered) {
    this.elements = new Map();
    // The elements that are being rendered, innermost last: what each holds.
    this.open = [];
    this.streams = new Map();
    const page = this;
    class Buffer extends RenderingBuffer {
      beginRoot() {
        super.beginRoot();
        page.open.push(new Map());
      }
      endRoot(attrs, skipped) {
        const { "data-phx-id": id, "data-phx-skip": _skip, "data-phx-view": _view, ...rest } = attrs;
        const inner = page.open.pop();
        const around = page.open.at(-1) ?? page.elements;
        // What was rendered within an element that is skipped never reaches the page.
        if (!skipped) for (const [id, html] of inner) around.set(id, html);
        const [html, before, after] = modifyRoot(this.html, rest);
        if (!skipped && id !== undefined) around.set(id, before + html + after);
        this.html = this.pending.pop() + (id === undefined ? before + html + after : `\u0002${id}\u0003`);
      }
    }
    this.rendered = new Rendered("view", rendered, () => Buffer);
    const { buffer, streams } = this.rendered.toString();
    this.show(buffer, streams);
  }

  merge(diff, destroyed) {
    this.rendered.pruneCIDs(destroyed);
    const { diff: tree } = Rendered.extract(diff);
    const cids = this.rendered.componentCIDs(tree);
    const alone = this.rendered.isComponentOnlyDiff(tree);
    if (Object.keys(tree).length === 0) return;
    this.rendered.mergeDiff(tree);
    if (!alone) {
      const { buffer, streams } = this.rendered.toString(cids);
      this.show(buffer, streams);
      return;
    }
    // As the client: of the components on the page, those that stand within no other of the message.
    const on_page = cids.filter((cid) => this.html.includes(`data-phx-component="${cid}"`));
    const inner = new Set(on_page.flatMap((cid) => this.within(`c${cid}-view`)));
    for (const cid of on_page.filter((cid) => !inner.has(`c${cid}-view`))) {
      const { streams } = this.rendered.recursiveCIDToString(this.rendered.rendered.c, cid, null);
      for (const stream of streams) this.obey(stream);
    }
    this.expand();
  }

  // The ids of the elements within another.
  within(id) {
    return [...this.elements.get(id).matchAll(MARK)].flatMap(([, inner]) => [inner, ...this.within(inner)]);
  }

  show(buffer, streams) {
    this.root = buffer;
    for (const stream of streams) this.obey(stream);
    this.expand();
  }

  // Does to the stream what its orders say. Its new entries stand in the markup of its element for now.
  obey([name, inserts, deletes, reset]) {
    let shown = this.streams.get(name) ?? [];
    const before = shown;
    if (reset !== undefined) shown = [];
    shown = shown.filter(({ id }) => !deletes.includes(id));
    for (const [id, at, limit, update_only] of inserts) {
      const known = shown.find((entry) => entry.id === id);
      if (known) {
        known.fresh = true;
        continue;
      }
      if (update_only && !before.some((entry) => entry.id === id)) continue;
      const entry = { id, fresh: true };
      if (at === -1) shown.push(entry);
      else shown.splice(at, 0, entry);
      if (limit !== null) shown = limit < 0 ? shown.slice(limit) : shown.slice(0, limit);
    }
    this.streams.set(name, shown);
  }

  // The whole page. An element that it shows twice was not told from another: an error.
  expand() {
    const seen = new Set();
    const expand = (html) =>
      html.replace(MARK, (_, id) => {
        if (seen.has(id)) throw new Error(`the element ${id} is on the page twice`);
        if (!this.elements.has(id)) throw new Error(`skipped ${id}, which the page does not have`);
        seen.add(id);
        return expand(this.elements.get(id));
      });
    const shown = new Set();
    this.html = expand(this.root).replace(
      /<ul id="(\w+)" phx-update="stream">(.*?)<\/ul>/gs,
      (_, name, html) => {
        shown.add(name);
        const entries = this.streams.get(name) ?? [];
        const fresh = new Map(
          [...html.matchAll(/<li id="(.*?)">.*?<\/li>/gs)].map(([whole, id]) => [id, whole]),
        );
        for (const entry of entries) {
          if (entry.fresh) entry.html = fresh.get(entry.id);
          entry.fresh = false;
        }
        return `<ul id="${name}" phx-update="stream">${entries.map(({ html }) => html).join("")}</ul>`;
      },
    );
    for (const name of this.streams.keys()) if (!shown.has(name)) this.streams.delete(name);
    for (const id of this.elements.keys()) {
      if (seen.has(id)) continue;
      this.elements.delete(id);
      // As the client: a component that left the page is shown whole if it comes back.
      const component = /^c(\d+)-/.exec(id);
      if (component) this.rendered.resetRender(Number(component[1]));
    }
  }
}

let page;
for await (const line of createInterface({ input: process.stdin })) {
  const { join, diff, destroyed } = JSON.parse(line);
  let answer;
  try {
    if (join) page = new Page(Rendered.extract(diff).diff);
    else page.merge(diff, destroyed);
    answer = { html: page.html };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
