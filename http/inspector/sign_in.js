// Asked for a key only when the server wants one; kept in this tab.
import { Problem, get } from "./api.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { session } from "./session.js";

const kUnknown = "The server does not know this key.";
let open = null;

/// Resolves with true when the server takes the key, with undefined when the user gives up. Calls
/// while the dialog is open get the same promise.
export function showSignIn() {
  open ??= ask().finally(() => {
    open = null;
  });
  return open;
}

async function ask() {
  const wrong = session.key !== "";
  session.key = "";
  return openDialog("Sign in", (body, close) => draw(body, close, wrong));
}

function draw(body, close, wrong) {
  const input = h("input", {
    type: "password", name: "key", autocomplete: "off", required: true, autofocus: true,
    placeholder: "kv_…", "aria-label": "Key",
  });
  const said = h("p", { class: "small error", role: "alert" },
    wrong && kUnknown);
  const submit = async (event) => {
    event.preventDefault();
    session.key = input.value.trim();
    const problem = await tried();
    if (!problem) {
      close(true);
      return;
    }
    session.key = "";
    fill(said, problem.status === 401 ? kUnknown : problem.message);
    input.select();
  };
  fill(body, h("form", { onsubmit: submit },
    h("p", {}, "This server wants a key. It stays in this tab and goes with it."),
    input, said,
    h("p", { class: "small muted" }, "Keys are made with ",
      h("code", {}, "kvasir key create"), "."),
    h("div", { class: "row end" }, h("button", { class: "primary" }, "Sign in"))));
}

/// What the server says of the key, or null. A key without the read scope is a key too.
async function tried() {
  try {
    await get("/v1/spaces");
    return null;
  } catch (problem) {
    return problem instanceof Problem && problem.status === 403 ? null : problem;
  }
}
