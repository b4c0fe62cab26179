// How a recall is asked beside its words. Everything stands in the address, so it can be shared.
import { fill, h } from "./dom.js";
import { filterRows, filtersOf } from "./filter_rows.js";
import { sessionChooser } from "./session_chooser.js";

const kDefaults = {
  top_k: "10", hops: "1", threshold: "", session: "", as_of: "", channels: "both",
};

/// Draws the form into `parent`; `onChange` gets the address's params.
export function drawRecallForm(parent, params, onChange) {
  const at = { ...kDefaults, ...params };
  const sessions = sessionChooser(() => form.requestSubmit());
  sessions.refresh(at.session);
  const topK = select("top_k", ["5", "10", "20", "50", "100"], at.top_k);
  const hops = select("hops", ["1", "2", "3", "4"], at.hops);
  const channels = select("channels", ["both", "routing", "words"], at.channels);
  const threshold = h("input", {
    type: "number", name: "threshold", min: "0", max: "1", step: "0.05", placeholder: "0",
    value: at.threshold,
  });
  const asOf = h("input", { type: "datetime-local", name: "as_of", value: at.as_of });
  const filters = filterRows(rowsOf(at.f));
  const submit = (event) => {
    event?.preventDefault();
    const rows = filters.read();
    const next = {
      q: at.q, session: sessions.select.value, top_k: topK.value, hops: hops.value,
      channels: channels.value, threshold: threshold.value, as_of: asOf.value,
      f: rows.length > 0 ? JSON.stringify(rows) : "",
    };
    for (const [name, value] of Object.entries(kDefaults)) {
      if (next[name] === value) delete next[name];
    }
    onChange(next);
  };
  const more = h("details", { open: Boolean(at.f || at.as_of || at.threshold) },
    h("summary", {}, "Conditions"),
    h("div", { class: "more-fields" }, filters.element,
      h("div", { class: "option-row" },
        label("At least this score", threshold), label("As of", asOf),
        h("button", {}, "Apply"))));
  const form = h("form", { class: "options", onsubmit: submit },
    h("div", { class: "option-row" },
      label("Session", sessions.element), label("Results", topK), label("Hops", hops),
      label("Channels", channels)),
    more);
  for (const control of [topK, hops, channels]) control.addEventListener("change", () => submit());
  fill(parent, form);
}

/// The body of POST /v1/recall.
export function recallBody(params) {
  const at = { ...kDefaults, ...params };
  return {
    query: at.q,
    top_k: Number(at.top_k),
    hops: Number(at.hops),
    explain: true,
    ...(at.session && { session: at.session }),
    ...(at.threshold && { threshold: Number(at.threshold) }),
    ...(at.as_of && { as_of: new Date(at.as_of).toISOString() }),
    ...(at.channels === "words" && { latent: false }),
    ...(at.channels === "routing" && { lexical: false }),
    filters: filtersOf(rowsOf(at.f)),
  };
}

function rowsOf(text) {
  try {
    return JSON.parse(text ?? "[]").filter((row) => Array.isArray(row) && row.length === 3);
  } catch {
    return [];
  }
}

function select(name, values, chosen) {
  return h("select", { name }, values.map((value) =>
    h("option", { value, selected: value === chosen }, value)));
}

function label(text, control) {
  return h("label", { class: "option" }, h("span", { class: "label" }, text), control);
}
