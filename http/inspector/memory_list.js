// A list that grows by the server's pages as the user scrolls.
import { get, inSpace } from "./api.js";
import { fill, h } from "./dom.js";
import { plural, time } from "./format.js";
import { empty, failure, loading } from "./notice.js";
import { go, link } from "./router.js";
import { sessionChooser } from "./session_chooser.js";

const kPage = 50;
const kExcerpt = 240;

export function makeList(pane, { session, onOpen }) {
  const rows = h("ol", { class: "rows" });
  const end = h("div", { class: "list-end" });
  const chooser = sessionChooser((name) => go(link("memories", "", { session: name })));
  const scroller = h("div", { class: "scroller" }, rows, end);
  fill(pane, h("div", { class: "pane-head" }, h("h1", {}, "Memories"), chooser.element), scroller);

  let state = { cursor: "", busy: false, done: false, run: 0 };
  let marked = "";
  const watch = new IntersectionObserver((seen) => seen.some((e) => e.isIntersecting) && more(),
    { root: null, rootMargin: "600px" });

  function load(name) {
    session = name;
    state = { cursor: "", busy: false, done: false, run: state.run + 1 };
    rows.replaceChildren();
    // The sessions are one pass over the whole space: the first page does not wait for them.
    more().then(() => chooser.refresh(session));
  }

  async function more() {
    if (state.busy || state.done) return;
    const mine = state;
    mine.busy = true;
    watch.unobserve(end);
    fill(end, loading());
    try {
      const page = await get("/v1/memories",
        inSpace({ session, limit: kPage, cursor: mine.cursor, view: "full" }));
      if (mine !== state) return;
      add(page.memories);
      mine.cursor = page.next_cursor ?? "";
      mine.done = !page.next_cursor;
      fill(end, mine.done && closing());
      mine.busy = false;
      if (!mine.done) watch.observe(end);
    } catch (problem) {
      if (mine !== state) return;
      mine.busy = false;
      fill(end, failure(problem, more));
    }
  }

  function add(memories) {
    rows.append(...memories.map((memory) => row(memory)));
    mark(marked);
  }

  function closing() {
    const shown = rows.children.length;
    if (shown > 0) return h("p", { class: "small muted" }, plural(shown, "memory", "memories"));
    if (session) return empty("Nothing in this session", "Everything said in it was forgotten.");
    return empty("No memories yet",
      "Write one or drop in your notes; agents remember over REST, MCP or the command.",
      h("a", { class: "button primary", href: link("import") }, "Add memories"));
  }

  function row(memory) {
    const text = (memory.text ?? "").trim().slice(0, kExcerpt);
    const about = [memory.session && h("span", { class: "tag" }, memory.session),
      time(memory.updated_at), plural(memory.tokens, "token")];
    return h("li", {}, h("a", {
      class: "memory-row", href: link("memories", memory.id, { session }), "data-id": memory.id,
      tabindex: "-1",
    },
    memory.title && h("strong", {}, memory.title),
    h("p", { class: memory.title ? "excerpt" : "excerpt alone" }, text),
    h("span", { class: "about" }, about)));
  }

  const anchors = () => [...rows.querySelectorAll("a")];

  function mark(id) {
    marked = id;
    const all = anchors();
    for (const anchor of all) {
      const is = anchor.dataset.id === id;
      anchor.tabIndex = -1;
      if (is) anchor.setAttribute("aria-current", "true");
      else anchor.removeAttribute("aria-current");
    }
    // One row takes part in the tab order; the arrow keys go through the others.
    const reach = all.find((anchor) => anchor.dataset.id === id) ?? all[0];
    if (reach) reach.tabIndex = 0;
  }

  const find = (id) => anchors().find((anchor) => anchor.dataset.id === id);

  load(session);
  return {
    load,
    mark,
    replace(memory) {
      find(memory.id)?.parentElement.replaceWith(row(memory));
      mark(marked);
    },
    remove: (id) => find(id)?.parentElement.remove(),
    focus: () => (find(marked) ?? anchors().find((a) => a.tabIndex === 0))?.focus(),
    key(event) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = anchors();
      const at = all.indexOf(document.activeElement);
      const from = at >= 0 ? at : all.findIndex((a) => a.dataset.id === marked);
      const next = all[Math.min(Math.max(from + step, 0), all.length - 1)];
      if (!next) return;
      next.focus();
      if (matchMedia("(min-width: 900px)").matches) onOpen(next.dataset.id);
    },
    leave: () => watch.disconnect(),
  };
}
