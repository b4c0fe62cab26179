// The heat map of an answer, hop by hop. An answer names what it read, not every layer's score, so
// each hop's question is put to /v1/recall once more, in the words that `ask` routed with.
import { inSpace, post } from "./api.js";
import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { heatMap, legend } from "./heat_map.js";
import { failure, loading } from "./notice.js";

/// Candidates of each hop, as `ask` has them, and how many are shown: those read, and the ones that
/// came close.
const kCandidates = 50;
const kShown = 8;
/// How much of each text a hop carries into the next question (agent/reading.cc).
const kCarriedBytes = 400;

export async function drawRouting(section, body, result, signal) {
  if (result.hops.length === 0) return;
  const parts = h("div");
  fill(section, h("div", { class: "results-head" },
    h("h2", {}, "What the layers were routed to"), legend()), parts);
  let question = body.question;
  const read = new Map();
  try {
    for (const [at, hop] of result.hops.entries()) {
      const waiting = loading(`Hop ${at + 1}`);
      parts.append(waiting);
      const request = {
        query: question, top_k: kCandidates, explain: true,
        ...(body.session && { session: body.session }),
      };
      const { hits } = await post("/v1/recall", inSpace(request), { signal });
      for (const id of hop.ids) read.set(id, "read");
      const shown = hits.filter((hit, rank) => rank < kShown || read.get(hit.id) === "read");
      waiting.replaceWith(h("section", { class: "hop-routing" },
        h("h3", {}, `Hop ${at + 1}`, h("span", { class: "muted" },
          ` ${plural(hop.ids.length, "text")} read, the best ${shown.length} shown`)),
        heatMap(shown, new Map(read))));
      for (const id of hop.ids) read.set(id, `read in hop ${at + 1}`);
      question = [body.question, ...carried(hits, hop.ids)].join("\n");
    }
  } catch (problem) {
    if (problem.name === "AbortError") return;
    parts.append(failure(problem, () => drawRouting(section, body, result, signal)));
  }
}

/// The starts of the texts that were read, in the order of reading.
function carried(hits, ids) {
  return ids.map((id) => hits.find((hit) => hit.id === id)).filter(Boolean)
    .map((hit) => startOf(hit.text));
}

/// At most so many bytes of UTF-8, no character cut.
function startOf(text) {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= kCarriedBytes) return text;
  let end = kCarriedBytes;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
