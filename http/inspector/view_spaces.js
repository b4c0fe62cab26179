// Spaces, and the sessions of the one that is chosen.
import { get, inSpace } from "./api.js";
import { fill, h } from "./dom.js";
import { forgetDialog } from "./forget.js";
import { count, time } from "./format.js";
import { empty, failure, loading } from "./notice.js";
import { link } from "./router.js";
import { session as tab } from "./session.js";

export const title = "Spaces";

const kMostSessions = 500;

export function mount(page) {
  const spaces = h("section", { "aria-label": "Spaces" });
  const sessions = h("section", { "aria-label": "Sessions" });
  fill(page, h("div", { class: "page-head" }, h("h1", {}, "Spaces"),
    h("p", { class: "muted" }, "A space is a memory bank: nothing crosses from one to another.")),
  spaces, sessions);

  const choose = (name) => {
    tab.space = name;
    dispatchEvent(new Event("kvasir-spaces"));
    load();
  };
  const forget = async (way, name) => {
    if (!(await forgetDialog(way, name))) return;
    dispatchEvent(new Event("kvasir-spaces"));
    load();
  };

  async function load() {
    fill(spaces, loading());
    fill(sessions);
    try {
      const list = (await get("/v1/spaces")).spaces;
      const chosen = tab.space || "default";
      fill(spaces, list.length === 0
        ? empty("No spaces yet", "The first memory makes one.",
          h("a", { class: "button primary", href: link("import") }, "Add memories"))
        : spaceTable(list, chosen, choose, forget));
      if (!list.some((space) => space.name === chosen)) return;
      const { sessions: found } = await get("/v1/sessions", inSpace());
      fill(sessions, h("h2", {}, `Sessions of ${chosen}`), sessionTable(found, forget));
    } catch (problem) {
      fill(spaces, failure(problem, load));
    }
  }

  load();
  return { update() {} };
}

function spaceTable(list, chosen, choose, forget) {
  const most = Math.max(...list.map((space) => space.tokens), 1);
  return h("table", { class: "plain" },
    heads("Space", "Memories", "Segments", "Tokens", ""),
    h("tbody", {}, list.map((space) => h("tr", { class: space.name === chosen ? "chosen" : "" },
      h("th", { scope: "row" },
        h("button", {
          type: "button", class: "link", "aria-pressed": String(space.name === chosen),
          onclick: () => choose(space.name),
        }, space.name)),
      number("Memories", space.memories),
      number("Segments", space.segments),
      h("td", { class: "num", "data-label": "Tokens" }, count(space.tokens),
        h("span", { class: "bar", style: { "--share": space.tokens / most } })),
      h("td", { class: "actions" }, space.name === chosen && h("button", {
        type: "button", class: "quiet danger small-button",
        onclick: () => forget({ whole_space: true }, `everything in “${space.name}”`),
      }, "Forget all"))))));
}

/// The last written ones; what is left out is counted.
function sessionTable(all, forget) {
  if (all.length === 0) return h("p", { class: "muted" }, "No sessions.");
  const list = [...all].sort((a, b) => b.last_write.localeCompare(a.last_write))
    .slice(0, kMostSessions);
  const rest = all.length - list.length;
  return [rest > 0 && h("p", { class: "small muted" },
    `The ${list.length} last written ones of ${count(all.length)}.`), table(list, forget)];
}

function table(list, forget) {
  return h("table", { class: "plain" },
    heads("Session", "Memories", "Last write", ""),
    h("tbody", {}, list.map((session) => h("tr", {},
      h("th", { scope: "row" }, session.name
        ? h("a", { href: link("memories", "", { session: session.name }) }, session.name)
        : h("span", { class: "muted" }, "without a session")),
      number("Memories", session.memories),
      h("td", { "data-label": "Last write" }, time(session.last_write)),
      h("td", { class: "actions" }, session.name && h("button", {
        type: "button", class: "quiet danger small-button",
        onclick: () => forget({ session: session.name }, `session “${session.name}”`),
      }, "Forget"))))));
}

function heads(first, ...others) {
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first), others.map((name) =>
    h("th", { scope: "col", class: ["Memories", "Segments", "Tokens"].includes(name) ? "num" : "" },
      name || h("span", { class: "hidden" }, "Actions")))));
}

function number(label, value) {
  return h("td", { class: "num", "data-label": label }, count(value));
}
