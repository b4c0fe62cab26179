// Add: write a memory, or drop files and see each one become memories.
import { send } from "./api.js";
import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { icon } from "./icons.js";
import { batches, readMemories } from "./import_reader.js";
import { link } from "./router.js";
import { session as tab } from "./session.js";
import { writeForm } from "./write_form.js";

export const title = "Add";

const kMostErrors = 5;

export function mount(page) {
  const chosen = h("input", {
    type: "file", id: "files", multiple: true, accept: ".txt,.md,.markdown,.jsonl,.ndjson",
  });
  const name = h("input", { name: "session", placeholder: "none", autocomplete: "off" });
  const files = h("ul", { class: "files", "aria-label": "Files", "aria-live": "polite" });
  const zone = h("label", { class: "drop-zone", for: "files" },
    icon("import"),
    h("strong", {}, "Or drop files here, or choose them"),
    h("span", { class: "small muted" }, ".txt and .md become one memory each, .jsonl one per " +
      "line. The same file again changes nothing."),
    chosen);
  const stop = new AbortController();
  let queue = Promise.resolve();

  const take = (list) => {
    for (const file of list) {
      const item = fileItem(file);
      files.append(item.element);
      queue = queue.then(() => importFile(file, name.value.trim(), item, stop.signal));
    }
  };
  chosen.addEventListener("change", () => {
    take([...chosen.files]);
    chosen.value = "";
  });
  const over = (is) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", is);
  };
  page.addEventListener("dragover", over(true));
  page.addEventListener("dragleave", over(false));
  page.addEventListener("drop", (event) => {
    over(false)(event);
    take([...event.dataTransfer.files]);
  });
  fill(page, h("div", { class: "page-head" }, h("h1", {}, "Add memories"),
    h("p", { class: "muted" }, "Texts are kept as they are; nothing rewrites them.")),
  writeForm(() => name.value.trim()),
  zone,
  h("label", { class: "option" }, h("span", { class: "label" }, "Session of what is added"), name),
  files);
  return { update() {}, take, leave: () => stop.abort() };
}

function fileItem(file) {
  const bar = h("progress", { max: "1", value: "0", "aria-label": file.name });
  const said = h("span", { class: "small muted" }, "waiting");
  const errors = h("ul", { class: "errors small" });
  const element = h("li", {}, h("div", { class: "file-line" },
    h("span", { class: "file-name" }, file.name), said), bar, errors);
  return {
    element,
    progress(done, total, text) {
      bar.max = Math.max(total, 1);
      bar.value = done;
      fill(said, text);
    },
    error(text) {
      if (errors.children.length < kMostErrors) errors.append(h("li", { class: "error" }, text));
    },
    end(...text) {
      bar.hidden = true;
      fill(said, ...text);
    },
  };
}

async function importFile(file, session, item, signal) {
  const seen = { created: 0, updated: 0, unchanged: 0, failed: 0 };
  try {
    const memories = await readMemories(file, session);
    let done = 0;
    for (const group of batches(memories)) {
      item.progress(done, memories.length, `${done} of ${memories.length}`);
      const lines = group.map(inTab).join("\n");
      const response = await send("POST", "/v1/memories:batch", { lines, signal });
      count(await response.text(), done, seen, item);
      done += group.length;
    }
    dispatchEvent(new Event("kvasir-spaces"));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    item.error(problem.message);
    seen.failed += 1;
  }
  const parts = Object.entries(seen).filter(([, number]) => number > 0)
    .map(([what, number]) => `${number} ${what}`);
  const good = seen.created + seen.updated + seen.unchanged;
  item.end(parts.join(", ") || "nothing in it", good > 0 && [" · ",
    h("a", { href: link("memories", "", { session }) },
      `see ${plural(good, "memory", "memories")}`)]);
}

/// The chosen space goes into each line.
function inTab(line) {
  return tab.space ? JSON.stringify({ space: tab.space, ...JSON.parse(line) }) : line;
}

function count(answer, before, seen, item) {
  for (const line of answer.split("\n")) {
    if (!line) continue;
    const result = JSON.parse(line);
    if (result.error) {
      seen.failed += 1;
      item.error(`Line ${before + result.line}: ${result.error.detail}`);
    } else {
      seen[result.outcome] += 1;
    }
  }
}
