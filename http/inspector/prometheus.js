// The text of /metrics as figures.

/// {samples: [{name, labels, value}], help: Map of name to text}.
export function parseMetrics(text) {
  const samples = [];
  const help = new Map();
  for (const line of text.split("\n")) {
    const described = /^# HELP (\S+) (.*)$/.exec(line);
    if (described) help.set(described[1], described[2]);
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample) {
      const [, name, labels = "", value] = sample;
      samples.push({ name, labels: labelsOf(labels), value: Number(value) });
    }
  }
  return { samples, help };
}

function labelsOf(text) {
  const labels = {};
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
  return labels;
}

/// The value of the sample without labels, or null.
export function single(metrics, name) {
  return metrics.samples.find((s) => s.name === name && Object.keys(s.labels).length === 0)?.value
    ?? null;
}

/// One row per route: how many requests, and the times that half and 95 of 100 stayed below.
export function routes(metrics) {
  const name = "kvasir_http_request_duration_seconds";
  const found = new Map();
  for (const { name: sample, labels, value } of metrics.samples) {
    if (!sample.startsWith(name)) continue;
    const route = found.get(labels.route) ?? { route: labels.route, buckets: [], count: 0 };
    if (sample === `${name}_bucket`) route.buckets.push([boundOf(labels.le), value]);
    if (sample === `${name}_count`) route.count = value;
    found.set(labels.route, route);
  }
  const used = [...found.values()].filter((route) => route.count > 0);
  return used.map(({ route, buckets, count }) => ({
    route, count, p50: quantile(buckets, 0.5), p95: quantile(buckets, 0.95),
  })).sort((a, b) => b.count - a.count);
}

const boundOf = (text) => (text === "+Inf" ? Infinity : Number(text));

/// In milliseconds, linear within the bucket that holds it; above the last bound, that bound.
function quantile(buckets, share) {
  const total = buckets.at(-1)[1];
  let low = 0;
  let below = 0;
  for (const [bound, count] of buckets) {
    if (count >= share * total) {
      if (bound === Infinity) return low * 1000;
      const inside = count - below;
      return (low + (bound - low) * (inside > 0 ? (share * total - below) / inside : 1)) * 1000;
    }
    low = bound;
    below = count;
  }
  return low * 1000;
}
