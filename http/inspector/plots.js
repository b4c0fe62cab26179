// Small plots as inline SVG, made by DOM calls. Colours come from the style sheet.
import { h, s } from "./dom.js";

/// A bar of a track: `share` of it, 0 to 1, is filled.
const bar = (y, share) => [
  s("rect", { class: "track", x: 0, y, width: "100%", height: 6, rx: 3 }),
  s("rect", { class: "value", x: 0, y, width: `${share * 100}%`, height: 6, rx: 3 })];

/// Horizontal bars: [{name, value, text}], longest first.
export function barPlot(label, items) {
  const most = Math.max(...items.map((item) => item.value), 1);
  const height = 30;
  const rows = items.map((item, at) => {
    return s("g", {},
      s("text", { x: 0, y: at * height + 11 }, item.name),
      s("text", { x: "100%", y: at * height + 11, class: "end" }, item.text),
      bar(at * height + 17, Math.max(item.value / most, item.value > 0 ? 0.006 : 0)));
  });
  return s("svg", {
    class: "plot bars", role: "img", "aria-label": label, width: "100%",
    height: items.length * height,
  }, rows);
}

/// A line of the last values, the newest at the right, over a filled area.
export function linePlot(label, values, most) {
  const width = 240;
  const height = 48;
  const top = Math.max(most ?? 0, ...values, 1e-9);
  const step = width / Math.max(values.length - 1, 1);
  const points = values.map((value, at) =>
    `${(at * step).toFixed(1)},${(height - 2 - (value / top) * (height - 6)).toFixed(1)}`);
  return s("svg", {
    class: "plot line", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
  },
  s("polygon", { points: `0,${height} ${points.join(" ")} ${width},${height}` }),
  s("polyline", { points: points.join(" "), "vector-effect": "non-scaling-stroke" }));
}

/// How much of `most` is used: one bar.
export function meter(label, value, most) {
  return s("svg", { class: "plot bars", role: "img", "aria-label": label, width: "100%", height: 6 },
    s("title", {}, label), bar(0, most > 0 ? Math.min(value / most, 1) : 0));
}

/// A figure with its name, and a plot under it.
export function figure(name, value, note, plot) {
  return h("figure", {}, h("figcaption", {}, name), h("strong", {}, value),
    note && h("span", { class: "small muted" }, note), plot);
}
