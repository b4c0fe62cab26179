// The store: how large everything is, and what the server has been doing.
import { get, send } from "./api.js";
import { fill, h } from "./dom.js";
import { count, milliseconds, plural } from "./format.js";
import { failure, loading } from "./notice.js";
import { barPlot } from "./plots.js";
import { parseMetrics, routes } from "./prometheus.js";
import { makeFigures } from "./store_figures.js";

export const title = "Store";

const kEvery_ms = 2000;

export function mount(page) {
  const head = h("section", { class: "store-head" });
  const figures = makeFigures();
  const spaces = h("section", { "aria-label": "Spaces" });
  const model = h("section", { "aria-label": "Model" });
  const traffic = h("section", { "aria-label": "Requests" });
  const body = h("div", { class: "store-body" }, head, figures.elements,
    h("div", { class: "columns" }, h("div", {}, spaces, model), traffic));
  fill(page, h("div", { class: "page-head" }, h("h1", {}, "Store")), loading());
  let drawn = false;

  async function load() {
    try {
      const stats = await get("/v1/stats");
      const metrics = await readMetrics();
      if (!drawn) fill(page, h("div", { class: "page-head" }, h("h1", {}, "Store")), body);
      drawn = true;
      drawModel(head, stats);
      figures.draw(stats, metrics);
      drawSpaces(spaces, stats);
      drawWork(model, stats.work);
      drawTraffic(traffic, metrics);
    } catch (problem) {
      if (!drawn) {
        fill(page, h("div", { class: "page-head" }, h("h1", {}, "Store")), failure(problem, load));
      }
    }
  }

  load();
  const timer = setInterval(() => !document.hidden && load(), kEvery_ms);
  return { update() {}, leave: () => clearInterval(timer) };
}

/// Null for a key without the admin scope.
async function readMetrics() {
  try {
    return parseMetrics(await (await send("GET", "/metrics")).text());
  } catch (problem) {
    if (problem.status === 403) return null;
    throw problem;
  }
}

function drawModel(section, stats) {
  const facts = [["Model", stats.model], ["Backend", stats.backend], ["kvasir", stats.version],
    ["Fingerprint", h("code", { title: stats.fingerprint }, stats.fingerprint.slice(0, 16))]];
  fill(section, h("dl", { class: "facts" }, facts.map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}

function drawSpaces(section, stats) {
  const items = [...stats.spaces].sort((a, b) => b.segments - a.segments).slice(0, 12)
    .map((space) => ({
      name: space.name, value: space.segments,
      text: `${plural(space.segments, "segment")} · ${plural(space.tokens, "token")}`,
    }));
  fill(section, h("h2", {}, "Use by space"), items.length > 0
    ? barPlot("Segments by space", items) : h("p", { class: "muted" }, "Nothing is stored yet."));
}

const kWork = { encode: "Remembering", route: "Finding", prefill: "Reading", decode: "Answering" };

/// Absent for a key that is bound to one space.
function drawWork(section, work) {
  if (!work) return;
  const rows = Object.entries(kWork).map(([kind, name]) => ({ name, ...work[kind] }));
  fill(section, h("h2", {}, "Work of the model"), h("table", { class: "plain tight" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "For"),
      ["Runs", "Tokens", "Tokens per second", "Each"].map((name) =>
        h("th", { scope: "col", class: "num" }, name)))),
    h("tbody", {}, rows.map(({ name, calls, tokens, ms }) =>
      h("tr", {}, h("th", { scope: "row" }, name),
        h("td", { class: "num", "data-label": "Runs" }, count(calls)),
        h("td", { class: "num", "data-label": "Tokens" }, count(tokens)),
        h("td", { class: "num", "data-label": "Tokens per second" },
          ms > 0 ? count(Math.round(tokens / (ms / 1000))) : "–"),
        h("td", { class: "num", "data-label": "Each" },
          calls > 0 ? milliseconds(ms / calls) : "–"))))));
}

function drawTraffic(section, metrics) {
  if (!metrics) {
    fill(section, h("h2", {}, "Requests"),
      h("p", { class: "muted" }, "A key with the admin scope sees the server's figures."));
    return;
  }
  fill(section, h("h2", {}, "Requests"), h("table", { class: "plain tight" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Route"),
      ["Count", "p50", "p95"].map((name) => h("th", { scope: "col", class: "num" }, name)))),
    h("tbody", {}, routes(metrics).slice(0, 12).map(({ route, count: number, p50, p95 }) =>
      h("tr", {}, h("th", { scope: "row", class: "mono" }, route),
        h("td", { class: "num", "data-label": "Count" }, count(number)),
        h("td", { class: "num", "data-label": "p50" }, milliseconds(p50)),
        h("td", { class: "num", "data-label": "p95" }, milliseconds(p95)))))));
}
