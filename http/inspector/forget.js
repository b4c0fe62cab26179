// Forgetting: first what would go, then the receipt of what went.
import { inSpace, post } from "./api.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { failure, loading } from "./notice.js";

/// `way` is one of {ids}, {session}, {whole_space: true}; `name` says it to the user. Resolves with
/// the receipt, or undefined when nothing was forgotten.
export async function forgetDialog(way, name) {
  let receipt;
  await openDialog("Forget", async (body, close) => {
    const ask = async () => {
      fill(body, loading("Looking what would go"));
      try {
        const plan = await post("/v1/memories:forget", inSpace({ ...way, dry_run: true }));
        drawPlan(body, plan, name, erase, close);
      } catch (problem) {
        fill(body, failure(problem, ask), closeRow(close));
      }
    };
    const erase = async (plan) => {
      fill(body, loading("Erasing"));
      try {
        // Never more than what was shown.
        const max = Math.max(plan.memories, 1);
        receipt = await post("/v1/memories:forget", inSpace({ ...way, max }));
        drawReceipt(body, receipt, close);
      } catch (problem) {
        fill(body, failure(problem, ask), closeRow(close));
      }
    };
    await ask();
  });
  return receipt;
}

function drawPlan(body, plan, name, erase, close) {
  if (plan.memories === 0) {
    fill(body, h("p", {}, "There is nothing to forget here."), closeRow(close));
    return;
  }
  const button = h("button", {
    type: "button", class: "primary danger", onclick: () => erase(plan),
  }, `Forget ${plural(plan.memories, "memory", "memories")}`);
  fill(body,
    h("p", {}, "Forgetting ", h("strong", {}, name),
      " erases it from the disk. It cannot be undone."),
    amounts(plan),
    plan.ids.length > 1 && h("details", {}, h("summary", {}, "Which ones"),
      h("ul", { class: "ids mono" }, plan.ids.slice(0, 200).map((id) => h("li", {}, id)))),
    h("div", { class: "row end" },
      h("button", { type: "button", autofocus: true, onclick: () => close() }, "Keep"), button));
}

function drawReceipt(body, receipt, close) {
  fill(body,
    h("p", {}, receipt.physical ? "Gone, physically: the bytes are no longer in the store."
      : "Gone for every reader; the bytes go at the next purge."),
    amounts(receipt),
    receipt.not_reached.length > 0 && [
      h("p", { class: "label" }, "What kvasir cannot reach"),
      h("ul", { class: "not-reached small" }, receipt.not_reached.map((what) => h("li", {}, what))),
    ],
    closeRow(close));
  body.querySelector("button").focus();
}

function amounts({ memories, segments, versions }) {
  const cell = (value, one, many) => h("li", {}, plural(value, one, many));
  return h("ul", { class: "amounts" },
    cell(memories, "memory", "memories"),
    cell(segments, "segment"),
    cell(versions, "older version"));
}

function closeRow(close) {
  return h("div", { class: "row end" },
    h("button", { type: "button", onclick: () => close() }, "Close"));
}
