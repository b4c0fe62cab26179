// Ask: the hops and the answer as they come, then what each layer was routed to.
import { inSpace } from "./api.js";
import { makeAnswer } from "./answer.js";
import { drawAskForm } from "./ask_form.js";
import { drawRouting } from "./ask_routing.js";
import { fill, h } from "./dom.js";
import { events } from "./event_stream.js";
import { empty, failure } from "./notice.js";

export const title = "Ask";

export function mount(page) {
  const out = h("section", { class: "answer-area", "aria-label": "Answer" });
  const routing = h("section", { class: "routing", "aria-label": "Routing" });
  let stop = null;
  const form = drawAskForm({ onAsk: ask, onStop: () => stop?.abort() });
  fill(page, h("div", { class: "page-head" }, h("h1", {}, "Ask"),
    h("p", { class: "muted" },
      "The model finds what bears on the question, reads it, answers, and says from where.")),
  form.element, out, routing);
  fill(out, empty("No question yet", "What the model reads, its answer and its sources show here while it works."));

  async function ask(body) {
    stop?.abort();
    stop = new AbortController();
    const { signal } = stop;
    const answer = makeAnswer(out);
    fill(routing);
    form.busy(true);
    try {
      for await (const { event, data } of events("/v1/ask", inSpace(body), signal)) {
        if (event === "error") throw Object.assign(new Error(data.detail), data);
        answer.take(event, data);
      }
      if (answer.result) drawRouting(routing, answer.result.hops);
      else fill(out, failure(new Error("The answer broke off."), () => ask(body)));
    } catch (problem) {
      if (problem.name === "AbortError") answer.stopped();
      else fill(out, failure(problem, () => ask(body)));
    } finally {
      if (stop.signal === signal) form.busy(false);
    }
  }

  if (matchMedia("(min-width: 900px)").matches) form.focus();
  return { update() {}, leave: () => stop?.abort() };
}
