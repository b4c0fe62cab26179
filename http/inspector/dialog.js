// A modal dialog: the browser keeps the focus in it, Esc closes it, the focus goes back after.
import { fill, h } from "./dom.js";

/// Opens a dialog that `draw(body, close)` fills. Resolves with what close() was given, or
/// undefined.
export function openDialog(title, draw) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const body = h("div", { class: "dialog-body" });
    const dialog = h("dialog", { "aria-label": title }, h("h2", {}, title), body);
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus();
      resolve(result);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && close());
    document.body.append(dialog);
    draw(body, close);
    dialog.showModal();
  });
}

const kKeys = [
  ["/", "search all memories"],
  ["↑ ↓", "go through a list"],
  ["Enter", "open; in a list, read"],
  ["e", "edit the memory that is shown"],
  ["Esc", "close, cancel, back to the list"],
  ["Ctrl Enter", "save an edit"],
  ["?", "this list"],
];

export function showKeys() {
  openDialog("Keys", (body, close) => {
    const rows = kKeys.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]);
    fill(body, h("dl", { class: "keys" }, rows),
      h("div", { class: "row end" },
        h("button", { type: "button", onclick: () => close() }, "Close")));
  });
}
