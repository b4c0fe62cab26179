// What is said when there is nothing to show, something failed, or something was done.
import { h } from "./dom.js";

export function loading(what = "Loading") {
  return h("p", { class: "loading", role: "status" }, what);
}

export function empty(title, text, ...actions) {
  return h("div", { class: "empty" },
    h("h2", {}, title),
    h("p", {}, text),
    actions.length > 0 && h("div", { class: "row" }, actions));
}

/// A problem in its one line. `retry` is offered where coming again may help.
export function failure(problem, retry) {
  const reference = problem.requestId && h("span", { class: "muted mono" }, problem.requestId);
  const code = problem.code && h("code", {}, problem.code);
  const box = h("div", { class: "failure", role: "alert" },
    h("p", {}, problem.message),
    h("p", { class: "small" }, code, reference),
    retry && h("div", { class: "row" },
      h("button", { type: "button", onclick: retry }, "Try again")));
  // The store opens within seconds: come again without being asked.
  if (problem.code === "loading" && retry) {
    setTimeout(() => box.isConnected && retry(), 1000);
  }
  return box;
}

let toasts = null;

/// One line at the lower edge for a few seconds, with a button where `action` is given.
export function toast(text, action) {
  if (!toasts) {
    toasts = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(toasts);
  }
  const button = action && h("button", {
    type: "button",
    onclick: () => {
      line.remove();
      action.run();
    },
  }, action.label);
  const line = h("div", { class: "toast" }, h("span", {}, text), button);
  toasts.replaceChildren(line);
  setTimeout(() => line.remove(), action ? 12_000 : 5000);
}
