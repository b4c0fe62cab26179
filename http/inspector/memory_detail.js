// One memory: its text, what is known of it, what it was before, and what can be done with it.
import { get, inSpace, memoryPath } from "./api.js";
import { h, fill } from "./dom.js";
import { factsOf } from "./facts.js";
import { forgetDialog } from "./forget.js";
import { headingOf, nameOf, plural } from "./format.js";
import { icon } from "./icons.js";
import { drawEditor } from "./memory_edit.js";
import { drawHistory } from "./memory_history.js";
import { failure, loading, toast } from "./notice.js";
import { saveVersion } from "./memory_save.js";

const kAtOnce = 100_000;

export function makeDetail(pane, id, { onChanged, onForgotten, onBack }) {
  let memory = null;
  let etag = "";
  let editing = false;
  const stop = new AbortController();
  fill(pane, loading());

  async function load() {
    try {
      const read = await get(memoryPath(id), inSpace(), { withTag: true, signal: stop.signal });
      memory = read.json;
      etag = read.etag;
      draw();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      fill(pane, backButton(), failure(problem, problem.status === 404 ? null : load));
    }
  }

  function backButton() {
    return h("button", { type: "button", class: "quiet back", onclick: onBack }, icon("back"),
      "All memories");
  }

  function draw() {
    if (stop.signal.aborted) return;
    editing = false;
    const history = h("section", { class: "history" });
    const actions = h("div", { class: "row" },
      h("button", { type: "button", onclick: edit, "aria-keyshortcuts": "e" }, "Edit"),
      h("button", { type: "button", class: "danger", onclick: forget }, "Forget"));
    fill(pane, backButton(),
      h("article", { class: "memory" },
        h("header", { class: "memory-head" }, h("h1", {}, headingOf(memory)), actions),
        memory.messages ? conversation(memory.messages) : textOf(memory.text),
        factsOf(memory), history));
    drawHistory(history, memory, restore);
  }

  function drawAndFocus() {
    draw();
    pane.querySelector(".memory-head button")?.focus();
  }

  function edit() {
    if (!memory || editing) return;
    editing = true;
    drawEditor(pane.querySelector("article"), memory, { onSave: save, onCancel: drawAndFocus });
  }

  /// Throws what the server refuses; the editor shows it and keeps what was written.
  async function save(fields, said = "Saved") {
    const before = memory;
    ({ memory, etag } = await saveVersion(memory, fields, etag));
    drawAndFocus();
    onChanged(memory);
    const undo = { text: before.text, title: before.title, metadata: before.metadata };
    toast(said, { label: "Undo", run: () => restore(undo, "Undone") });
  }

  async function restore(version, said = `Version ${version.version} is the present one again`) {
    const { text, title, metadata } = version;
    try {
      await save({ text, title, metadata }, said);
    } catch (problem) {
      toast(problem.message);
    }
  }

  async function forget() {
    const receipt = await forgetDialog({ ids: [id] }, `“${nameOf(memory)}”`);
    if (receipt) onForgotten(id);
  }

  load();
  return { edit, leave: () => stop.abort() };
}

/// The beginning at once, a book's rest when it is asked for.
function textOf(text) {
  const box = h("div", { class: "memory-text" }, text.slice(0, kAtOnce));
  if (text.length <= kAtOnce) return box;
  const button = h("button", {
    type: "button",
    onclick: () => {
      fill(box, text);
      button.remove();
    },
  }, `Show all ${plural(text.length, "character")}`);
  return [box, h("div", { class: "row" }, button)];
}

function conversation(messages) {
  return h("ol", { class: "conversation" }, messages.map((message) =>
    h("li", {},
      h("span", { class: "speaker" }, message.name || message.role),
      h("p", { class: "memory-text" }, message.content))));
}
