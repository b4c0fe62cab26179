// The form that edits a memory in place.
import { fill, h } from "./dom.js";
import { failure } from "./notice.js";

/// `onSave` gets {title, text, metadata} and may throw a Problem, which is shown.
export function drawEditor(article, memory, { onSave, onCancel }) {
  const title = h("input", { name: "title", autocomplete: "off", placeholder: "No title" });
  const text = h("textarea", { name: "text", rows: "12", required: true, spellcheck: "true" });
  const metadata = h("textarea", {
    name: "metadata", rows: "4", class: "mono", spellcheck: "false",
  });
  title.value = memory.title;
  text.value = memory.text;
  metadata.value = JSON.stringify(memory.metadata, null, 2);
  const said = h("div", { class: "said" });
  const button = h("button", { class: "primary" }, "Save");

  const submit = async (event) => {
    event.preventDefault();
    const parsed = parse(metadata.value);
    if (!parsed) {
      fill(said, failure(new Error('The metadata must be a JSON object: {"topic": "home"}.')));
      return;
    }
    button.disabled = true;
    try {
      await onSave({ title: title.value, text: text.value, metadata: parsed });
    } catch (problem) {
      button.disabled = false;
      fill(said, explain(problem));
    }
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onCancel();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      form.requestSubmit();
    }
  };
  const form = h("form", { class: "editor", onsubmit: submit, onkeydown: keys },
    field("Title", title),
    field("Text", text),
    memory.messages && h("p", { class: "small muted" },
      "This was remembered as a conversation; an edit makes it plain text."),
    field("Metadata", metadata),
    said,
    h("div", { class: "row" }, button,
      h("button", { type: "button", onclick: onCancel }, "Cancel"),
      h("span", { class: "small muted" }, "The version before stays in the history.")));
  fill(article, form);
  text.focus();
}

function field(label, control) {
  return h("label", { class: "field" }, h("span", { class: "label" }, label), control);
}

function parse(text) {
  try {
    const value = JSON.parse(text || "{}");
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function explain(problem) {
  if (problem.code !== "stale") return failure(problem);
  const again = () => dispatchEvent(new HashChangeEvent("hashchange"));
  return h("div", {},
    failure(new Error("Somebody edited this memory meanwhile. What you wrote is still above: " +
      "copy it, then read the new version.")),
    h("div", { class: "row" }, h("button", { type: "button", onclick: again },
      "Read the new version")));
}
