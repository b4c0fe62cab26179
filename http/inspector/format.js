// Numbers, times and sizes as people read them.
import { h } from "./dom.js";

const whole = new Intl.NumberFormat("en");
const shortTime = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
});

export const count = (value) => whole.format(value);

/// "1 memory", "1,024 memories".
export function plural(value, one, many = one + "s") {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[at]}`;
}

export function milliseconds(value) {
  if (value >= 10_000) return `${(value / 1000).toFixed(0)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/// Three digits that say something, for scores of any channel.
export function score(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

export function time(stamp) {
  if (!stamp) return "–";
  return h("time", { datetime: stamp, title: stamp }, shortTime.format(new Date(stamp)));
}

/// What stands for a memory where its text does not: its title, else its first words, else its id.
export function nameOf(memory) {
  if (memory.title) return memory.title;
  const line = (memory.text ?? "").trim().split("\n", 1)[0];
  if (!line) return memory.id;
  return line.length > 90 ? `${line.slice(0, 90).trimEnd()}…` : line;
}

/// An id that kvasir made says nothing to a reader.
const isMade = (id) => /^m[a-z2-7]{26}$/.test(id);

/// What stands above a memory's text: its title, or its id, visibly not a title.
export function headingOf({ title, id }) {
  if (title) return title;
  return isMade(id) ? h("span", { class: "untitled", title: id }, "Untitled")
    : h("span", { class: "untitled mono" }, id);
}
