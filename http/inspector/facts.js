// What is known of a memory beside its text.
import { h } from "./dom.js";
import { count, time } from "./format.js";
import { link } from "./router.js";

export function factsOf(memory) {
  const { provenance } = memory;
  const facts = [
    ["Session", memory.session &&
      h("a", { href: link("memories", "", { session: memory.session }) }, memory.session)],
    ["User", memory.user_id],
    ["Agent", memory.agent_id],
    ["Came by", [provenance.channel, provenance.source && ` · ${provenance.source}`]],
    ["Trust", provenance.trust],
    ["Remembered", time(memory.created_at)],
    ["Edited", memory.version > 1 && time(memory.updated_at)],
    ["Valid from", memory.valid_from && time(memory.valid_from)],
    ["Valid to", memory.valid_to && time(memory.valid_to)],
    ["Expires", memory.expires_at && time(memory.expires_at)],
    ["Size", `${count(memory.tokens)} tokens in ${count(memory.segments)} ` +
      (memory.segments === 1 ? "segment" : "segments")],
    ["Id", h("code", {}, memory.id)],
    ["Hash", h("code", { title: memory.content_hash }, memory.content_hash.slice(0, 16))],
  ];
  return [
    metadataOf(memory.metadata),
    h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
  ];
}

export function metadataOf(metadata) {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return null;
  return h("ul", { class: "metadata", "aria-label": "Metadata" }, entries.map(([name, value]) =>
    h("li", {}, h("span", { class: "muted" }, name), " ",
      Array.isArray(value) ? value.join(", ") : String(value))));
}
