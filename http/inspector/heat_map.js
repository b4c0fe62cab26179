// Which segments the question was routed to: one row per segment with its text, one column per
// channel and routed layer. The darker a cell, the higher its score within its column.
import { h } from "./dom.js";
import { headingOf, score } from "./format.js";
import { metadataOf } from "./facts.js";
import { link } from "./router.js";

/// Tokens that are averaged into one chunk; the model routes by chunks.
const kChunkTokens = 64;

/// A table of `hits` of a recall with "explain". `chosen`: what an ask did with a memory ("read",
/// "read in hop 1"), by id; null when nobody asked.
export function heatMap(hits, chosen = null) {
  const columns = columnsOf(hits);
  const head = h("thead", {}, h("tr", {},
    h("th", { scope: "col" }, "Segment"),
    columns.map((column) => h("th", { scope: "col", class: "num", title: column.about },
      column.name))));
  const rows = hits.map((hit, at) => row(hit, at, columns, chosen));
  return h("table", { class: "heat" }, head, h("tbody", {}, rows));
}

export function legend() {
  const steps = [0, 0.25, 0.5, 0.75, 1].map((heat) =>
    h("span", { class: "swatch", style: { "--heat": heat } }));
  return h("p", { class: "legend small muted" }, h("span", {}, "lowest of its column"), steps,
    h("span", {}, "highest"));
}

function columnsOf(hits) {
  const layers = [...new Set(hits.flatMap((hit) => (hit.layers ?? []).map((l) => l.layer)))];
  const columns = [
    { name: "Score", about: "Both channels fused: how likely it answers, 0 to 1",
      of: (hit) => ({ value: hit.score }) },
    { name: "Words", about: "BM25 of the words in common", of: (hit) => ({ value: hit.lexical }) },
    { name: "Routing", about: "The routed layers together",
      of: (hit) => ({ value: hit.latent }) },
    ...layers.sort((a, b) => a - b).map((layer) => ({
      name: `Layer ${layer}`, about: `What layer ${layer} of the model attends to`, layer,
      of: (hit) => {
        const found = hit.layers?.find((l) => l.layer === layer);
        return { value: found?.score ?? null, chunk: found?.chunk };
      },
    })),
  ];
  for (const column of columns) {
    const values = hits.map((hit) => column.of(hit).value).filter((value) => value !== null);
    column.low = Math.min(...values);
    column.high = Math.max(...values);
  }
  return columns;
}

function row(hit, at, columns, chosen) {
  const read = chosen?.get(hit.id);
  const text = h("p", { class: "segment-text" }, hit.text);
  const more = h("div", { class: "more", hidden: true }, metadataOf(hit.metadata), whereOf(hit));
  const toggle = h("button", {
    type: "button", class: "quiet small-button", "aria-expanded": "false",
    onclick: () => {
      const open = more.hidden;
      more.hidden = !open;
      text.classList.toggle("whole", open);
      toggle.setAttribute("aria-expanded", String(open));
      toggle.textContent = open ? "Less" : "More";
    },
  }, "More");
  return h("tr", { class: chosen && !read ? "passed-over" : "" },
    h("th", { scope: "row" },
      h("div", { class: "segment-head" },
        h("span", { class: "rank" }, at + 1),
        h("a", { href: link("memories", hit.id) }, headingOf(hit)),
        read && h("span", { class: "tag strong" }, read),
        hit.hop > 1 && h("span", { class: "tag" }, `hop ${hit.hop}`),
        hit.session && h("span", { class: "tag" }, hit.session),
        toggle),
      text, more),
    columns.map((column) => cell(column, hit)));
}

function cell(column, hit) {
  const { value, chunk } = column.of(hit);
  if (value === null) return h("td", { class: "num none", "data-label": column.name }, "–");
  const range = column.high - column.low;
  const heat = range > 0 ? (value - column.low) / range : 1;
  const best = value === column.high && range > 0;
  const classes = ["num", "hot", best && "best", heat > 0.55 && "deep"].filter(Boolean);
  return h("td", {
    class: classes.join(" "), style: { "--heat": heat.toFixed(3) }, "data-label": column.name,
  }, score(value), chunk !== undefined && h("span", { class: "chunk" }, `chunk ${chunk + 1}`));
}

/// In words what the cells say, for the one row that was opened.
function whereOf(hit) {
  const layers = (hit.layers ?? []).map(({ layer, chunk, score: value }) =>
    h("li", {}, `Layer ${layer} met it at tokens ${chunk * kChunkTokens + 1} to ` +
      `${(chunk + 1) * kChunkTokens} of the segment, score ${score(value)}.`));
  return h("ul", { class: "where small muted" },
    h("li", {}, `Segment ${hit.segment + 1} of the memory, bytes ${hit.span.begin} to ` +
      `${hit.span.end} of its text, version ${hit.version}.`),
    layers);
}
