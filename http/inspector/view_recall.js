// Search: what a question would find, and why.
import { inSpace, post } from "./api.js";
import { fill, h } from "./dom.js";
import { milliseconds, plural } from "./format.js";
import { heatMap, legend } from "./heat_map.js";
import { empty, failure, loading } from "./notice.js";
import { go, link } from "./router.js";
import { drawRecallForm, recallBody } from "./recall_form.js";

export const title = "Recall";

export function mount(page, route) {
  const form = h("div");
  const results = h("section", { class: "results", "aria-label": "Results" });
  let stop = new AbortController();
  // What the form itself asked for leaves the form, and the focus in it, as it is.
  let own = false;
  fill(page, h("div", { class: "page-head" }, h("h1", {}, "Recall"),
    h("p", { class: "muted" },
      "What a question finds, with the score of each channel and of each routed layer.")),
  form, results);

  async function run(params) {
    if (!own) {
      drawRecallForm(form, params, (next) => {
        own = true;
        go(link("recall", "", next));
      });
    }
    own = false;
    stop.abort();
    if (!params.q) {
      fill(results, empty("Ask for something",
        "Write a question or a few words above. Press / from anywhere to get there."));
      return;
    }
    stop = new AbortController();
    const { signal } = stop;
    fill(results, loading("Routing"));
    try {
      const found = await post("/v1/recall", inSpace(recallBody(params)), { signal });
      fill(results, found.hits.length === 0 ? nothing(found, params) : table(found));
    } catch (problem) {
      if (problem.name !== "AbortError") fill(results, failure(problem, () => run(params)));
    }
  }

  run(route.params);
  return { update: (next) => run(next.params), leave: () => stop.abort() };
}

function table(found) {
  return [
    h("div", { class: "results-head" },
      h("p", {}, `${plural(found.hits.length, "segment")} of ` +
        `${plural(found.candidates, "memory", "memories")}, ${milliseconds(found.took_ms)}`),
      legend()),
    heatMap(found.hits),
  ];
}

function nothing(found, params) {
  if (found.candidates === 0 && !params.f && !params.session) {
    return empty("No memories yet", "There is nothing to search in this space.",
      h("a", { class: "button primary", href: link("import") }, "Add memories"));
  }
  return empty("Nothing found", found.candidates === 0
    ? "No memory fits the conditions." : "No memory scores that high. Loosen the conditions.");
}
