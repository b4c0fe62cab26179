// The question and how much the model may do for it.
import { h } from "./dom.js";
import { sessionChooser } from "./session_chooser.js";

export function drawAskForm({ onAsk, onStop }) {
  const question = h("textarea", {
    name: "question", rows: "2", required: true, placeholder: "Ask the memory something",
    "aria-label": "Question",
  });
  const sessions = sessionChooser(() => {});
  sessions.refresh("");
  const hops = number("max_hops", 2, 1, 8);
  const documents = number("documents_per_hop", 4, 1, 16);
  const tokens = number("max_new_tokens", 128, 1, 2048);
  const latent = h("input", { type: "checkbox", name: "latent_memory", checked: true });
  const trust = h("select", { name: "least_trust" },
    ["untrusted", "user", "operator"].map((tier) => h("option", { value: tier }, tier)));
  const askButton = h("button", { class: "primary" }, "Ask");
  const stopButton = h("button", { type: "button", hidden: true, onclick: onStop }, "Stop");

  const submit = (event) => {
    event.preventDefault();
    if (!question.value.trim()) return;
    onAsk({
      question: question.value.trim(),
      max_hops: Number(hops.value),
      documents_per_hop: Number(documents.value),
      max_new_tokens: Number(tokens.value),
      latent_memory: latent.checked,
      least_trust: trust.value,
      explain: true,
      ...(sessions.select.value && { session: sessions.select.value }),
    });
  };
  const keys = (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  };
  question.addEventListener("keydown", keys);
  const form = h("form", { class: "ask-form", onsubmit: submit },
    h("div", { class: "ask-line" }, question, askButton, stopButton),
    h("details", {}, h("summary", {}, "How"),
      h("div", { class: "option-row" },
        label("Session", sessions.element), label("Hops at most", hops),
        label("Texts per hop", documents), label("Tokens at most", tokens),
        label("Least trust", trust),
        h("label", { class: "check" }, latent, "attend to pooled keys and values"))));
  return {
    element: form,
    focus: () => question.focus(),
    busy(is) {
      askButton.hidden = is;
      stopButton.hidden = !is;
    },
  };
}

function number(name, value, min, max) {
  return h("input", { type: "number", name, value, min, max, required: true });
}

function label(text, control) {
  return h("label", { class: "option" }, h("span", { class: "label" }, text), control);
}
