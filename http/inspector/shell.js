// What stands around every view: name, navigation, search, space, theme.
import { get } from "./api.js";
import { showKeys } from "./dialog.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { go, link } from "./router.js";
import { session } from "./session.js";
import { nextTheme, theme } from "./theme.js";

const kPlaces = [
  ["memories", "Memories"], ["recall", "Recall"], ["ask", "Ask"],
  ["import", "Add"], ["spaces", "Spaces"], ["store", "Store"],
];

export function makeShell({ onSpace }) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const tabs = kPlaces.map(([name, label]) =>
    h("a", { href: link(name), class: "tab" }, icon(name), h("span", {}, label)));
  const search = searchBox();
  const space = spaceChooser(onSpace);
  const signOut = signOutButton();
  const root = h("div", { class: "shell" },
    h("header", { class: "rail" },
      h("a", { href: link("memories"), class: "brand" },
        h("img", { src: "/inspector/icon.svg", alt: "", width: "22", height: "22" }),
        h("span", {}, "kvasir")),
      h("nav", { "aria-label": "Views" }, tabs),
      h("div", { class: "rail-foot" }, space.element, tools(signOut))),
    h("div", { class: "stage" }, search.form, main));
  return {
    root,
    main,
    focusSearch: () => search.input.select(),
    refresh() {
      signOut.hidden = session.key === "";
      return space.refresh();
    },
    mark(route) {
      kPlaces.forEach(([name], at) => {
        if (name !== route.view) {
          tabs[at].removeAttribute("aria-current");
          return;
        }
        tabs[at].setAttribute("aria-current", "page");
        tabs[at].scrollIntoView({ block: "nearest", inline: "nearest" });
      });
      search.input.value = route.view === "recall" ? route.params.q ?? "" : "";
    },
  };
}

function searchBox() {
  const input = h("input", {
    type: "search", name: "q", placeholder: "Search all memories", autocomplete: "off",
    "aria-label": "Search all memories", "aria-keyshortcuts": "/",
  });
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) go(link("recall", "", { q: input.value.trim() }));
  };
  const form = h("form", { class: "search", role: "search", onsubmit: submit },
    icon("recall"), input, h("kbd", { "aria-hidden": "true" }, "/"));
  return { form, input };
}

/// The spaces that this key may see; one that is alone is not asked about.
function spaceChooser(onSpace) {
  const select = h("select", { "aria-label": "Space" });
  const element = h("label", { class: "space-choice" }, h("span", { class: "label" }, "Space"),
    select);
  select.addEventListener("change", () => {
    session.space = select.value;
    onSpace();
  });
  const refresh = async () => {
    const { spaces } = await get("/v1/spaces").catch(() => ({ spaces: [] }));
    const names = spaces.map((space) => space.name);
    if (session.space && !names.includes(session.space)) names.push(session.space);
    if (names.length === 0) names.push("default");
    if (!session.space && !names.includes("default")) {
      session.space = names[0];
      onSpace();
    }
    const chosen = session.space || "default";
    fill(select, names.sort().map((name) =>
      h("option", { value: name, selected: name === chosen }, name)));
  };
  addEventListener("kvasir-spaces", refresh);
  return { element, refresh };
}

function signOutButton() {
  return h("button", {
    type: "button", class: "quiet icon-only", "aria-label": "Sign out", title: "Sign out",
    onclick: () => {
      session.key = "";
      session.space = "";
      location.reload();
    },
  }, icon("sign-out"));
}

function tools(signOut) {
  const label = () => `Theme: ${theme()}`;
  const button = h("button", {
    type: "button", class: "quiet icon-only", "aria-label": label(), title: label(),
    onclick: () => {
      nextTheme();
      fill(button, icon(`theme-${theme()}`));
      button.setAttribute("aria-label", label());
      button.title = label();
    },
  }, icon(`theme-${theme()}`));
  const keys = h("button", {
    type: "button", class: "quiet icon-only keys-button", "aria-label": "Keys", title: "Keys (?)",
    onclick: showKeys,
  }, icon("keys"));
  return h("div", { class: "tools" }, button, keys, signOut);
}
