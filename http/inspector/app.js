// The page: shell, views, keys. Everything else is a module of its own.
import { keyNeeded } from "./api.js";
import { showKeys } from "./dialog.js";
import { fill, h, isTyping } from "./dom.js";
import { failure } from "./notice.js";
import { current, go, link } from "./router.js";
import { makeShell } from "./shell.js";
import { showSignIn } from "./sign_in.js";
import { applyTheme } from "./theme.js";
import * as ask from "./view_ask.js";
import * as imports from "./view_import.js";
import * as memories from "./view_memories.js";
import * as recall from "./view_recall.js";
import * as spaces from "./view_spaces.js";
import * as store from "./view_store.js";

const kViews = { memories, recall, ask, import: imports, spaces, store };

const shell = makeShell({ onSpace: () => show({ again: true }) });
let shown = { name: "", view: null };

/// Shows what the address says. A view that is there already may take a new address itself.
function show({ again = false } = {}) {
  const route = current();
  const view = kViews[route.view];
  shell.mark(route);
  if (shown.name === route.view && !again && shown.view?.update) {
    shown.view.update(route);
    return;
  }
  shown.view?.leave?.();
  shown = { name: route.view, view: null };
  const page = h("div", { class: `view view-${route.view}` });
  fill(shell.main, page);
  shell.main.scrollTop = 0;
  if (!view) {
    fill(page, failure(new Error("There is no such page.")));
    return;
  }
  document.title = `${view.title} · kvasir`;
  shown.view = view.mount(page, route);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && isTyping(event.target)) {
    event.target.blur();
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    shell.focusSearch();
  } else if (event.key === "?") {
    showKeys();
  } else {
    shown.view?.key?.(event);
  }
}

/// Files dropped on any view are imported; the browser would leave the page for them.
function onDrop(event) {
  if (event.defaultPrevented) return;
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (files.length === 0) return;
  addEventListener("hashchange", () => shown.view?.take?.(files), { once: true });
  go(link("import"));
}

applyTheme();
document.body.append(shell.root);
addEventListener("hashchange", () => show());
addEventListener("keydown", onKey);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", onDrop);
keyNeeded.addEventListener("needed", async () => {
  if (!(await showSignIn())) return;
  shell.refresh();
  show({ again: true });
});
shell.refresh();
show();
