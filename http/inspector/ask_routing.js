// The heat map of an answer, hop by hop: what the layers were routed to, read or not.
import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { heatMap, legend } from "./heat_map.js";

/// `hops` of an answer to a question with "explain".
export function drawRouting(section, hops) {
  if (hops.every((hop) => !hop.hits)) return;
  const read = new Map();
  fill(section, h("div", { class: "results-head" },
    h("h2", {}, "What the layers were routed to"), legend()),
  hops.map((hop, at) => {
    for (const id of hop.ids) read.set(id, "read");
    const part = h("section", { class: "hop-routing" },
      h("h3", {}, `Hop ${at + 1}`, h("span", { class: "muted" }, ` ${summary(hop)}`)),
      heatMap(hop.hits ?? [], new Map(read)));
    for (const id of hop.ids) read.set(id, `read in hop ${at + 1}`);
    return part;
  }));
}

function summary({ ids, hits = [] }) {
  if (ids.length === 0) return "nothing came near enough to be read";
  return `${plural(ids.length, "text")} read, the best ${hits.length} shown`;
}
