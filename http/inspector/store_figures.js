// The row of figures: sizes as they are, rates over the last minutes, whatever else is measured.
import { fill, h } from "./dom.js";
import { bytes, count, plural } from "./format.js";
import { figure, linePlot, meter } from "./plots.js";
import { single } from "./prometheus.js";

const kKept = 60;

export function makeFigures() {
  const sizes = h("section", { class: "figures", "aria-label": "Sizes" });
  const work = h("section", { class: "figures wide", "aria-label": "Rates" });
  const rates = { requests: makeRate(), tokens: makeRate() };

  function draw(stats, metrics) {
    const memories = stats.spaces.reduce((sum, space) => sum + space.memories, 0);
    const segments = stats.spaces.reduce((sum, space) => sum + space.segments, 0);
    fill(sizes,
      figure("Memories", count(memories), plural(segments, "segment")),
      stats.disk_bytes !== undefined && figure("On disk", bytes(stats.disk_bytes),
        segments > 0 && `${bytes(stats.disk_bytes / segments)} per segment`),
      stats.index_bytes !== undefined && figure("Routing index in memory", bytes(stats.index_bytes),
        segments > 0 && `${bytes(stats.index_bytes / segments)} per segment`),
      stats.commits !== undefined && figure("Commits", count(stats.commits), "in the ledger"),
      stats.kv_cache && cacheFigure("Keys and values in memory", stats.kv_cache),
      stats.router_cache?.budget_bytes > 0 &&
        cacheFigure("Router keys in memory", stats.router_cache));
    fill(work, metrics && rateFigures(metrics));
  }

  function rateFigures(metrics) {
    const total = (name) => metrics.samples.filter((sample) => sample.name === name)
      .reduce((sum, sample) => sum + sample.value, 0);
    const requests = rates.requests(total("kvasir_http_requests_total"));
    const tokens = rates.tokens(total("kvasir_model_tokens_total"));
    const queue = single(metrics, "kvasir_http_queue_length") ?? 0;
    return [
      figure("Requests per second", requests.at(-1).toFixed(1),
        `${count(queue)} waiting`, linePlot("Requests per second", requests)),
      figure("Tokens per second", count(Math.round(tokens.at(-1))),
        `${count(total("kvasir_model_tokens_total"))} in all`, linePlot("Tokens per second", tokens)),
    ];
  }

  return { elements: [sizes, work], draw };
}

/// From a counter that rises: its values per second, oldest first.
function makeRate() {
  let last = null;
  const values = Array(kKept).fill(0);
  return (total) => {
    const now = performance.now();
    if (last && now > last.at) {
      values.push(Math.max(total - last.total, 0) / ((now - last.at) / 1000));
      values.shift();
    }
    last = { total, at: now };
    return values;
  };
}

/// How full a cache is, and how often it helped.
function cacheFigure(title, cache) {
  const asked = cache.hits + cache.misses;
  const hits = asked > 0 ? `${((cache.hits / asked) * 100).toFixed(0)} % found of ${count(asked)}`
    : "nothing asked for yet";
  return figure(title, bytes(cache.used_bytes), hits,
    meter(`${bytes(cache.used_bytes)} of ${bytes(cache.budget_bytes)}`,
      cache.used_bytes, cache.budget_bytes));
}
