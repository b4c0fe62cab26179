// Every version of a memory, newest first, each with what it changed.
import { get, inSpace, memoryPath } from "./api.js";
import { diff } from "./diff.js";
import { fill, h } from "./dom.js";
import { time } from "./format.js";
import { failure } from "./notice.js";

/// How much unchanged text stays around a change.
const kContext = 60;

export async function drawHistory(section, memory, onRestore) {
  if (memory.version < 2) {
    fill(section, h("h2", {}, "History"),
      h("p", { class: "small muted" }, "This is the first version; it was never edited."));
    return;
  }
  try {
    const { versions } = await get(`${memoryPath(memory.id)}/history`, inSpace());
    const items = versions.map((version, at) => item(version, versions[at - 1],
      at === versions.length - 1 ? null : onRestore));
    fill(section, h("h2", {}, "History"), h("ol", { class: "versions" }, items.reverse()));
  } catch (problem) {
    fill(section, h("h2", {}, "History"),
      failure(problem, () => drawHistory(section, memory, onRestore)));
  }
}

function item(version, before, onRestore) {
  const button = onRestore && h("button", {
    type: "button", class: "small-button", onclick: () => onRestore(version),
  }, "Restore");
  return h("li", {},
    h("div", { class: "version-head" },
      h("strong", {}, `Version ${version.version}`),
      h("span", { class: "small muted" }, onRestore ? "" : "present · ", time(version.updated_at)),
      button),
    before ? changes(before, version)
      : h("p", { class: "small muted" }, "As it was first remembered."));
}

function changes(before, after) {
  const parts = [];
  if (before.title !== after.title) parts.push(line("Title", before.title, after.title));
  const [was, is] = [before, after].map((version) => JSON.stringify(version.metadata));
  if (was !== is) parts.push(line("Metadata", was, is));
  if (before.text !== after.text) {
    parts.push(h("div", { class: "diff" }, shorten(diff(before.text, after.text)).map(piece)));
  }
  return parts.length > 0 ? parts : h("p", { class: "small muted" }, "Text and title as before.");
}

function line(label, before, after) {
  return h("p", { class: "diff" }, h("span", { class: "label" }, label), " ",
    before && h("del", {}, before), " ", after && h("ins", {}, after));
}

function piece({ kind, text }) {
  if (kind === "gone") return h("del", {}, text);
  return kind === "new" ? h("ins", {}, text) : h("span", {}, text);
}

/// Unchanged stretches are cut down to what is near a change.
function shorten(pieces) {
  return pieces.map(({ kind, text }, at) => {
    if (kind !== "same" || text.length <= 2 * kContext) return { kind, text };
    const head = at === 0 ? "" : text.slice(0, kContext);
    const tail = at === pieces.length - 1 ? "" : text.slice(-kContext);
    return { kind, text: `${head} … ${tail}` };
  });
}
