// Line icons on a 20 × 20 grid, as path data.
import { s } from "./dom.js";

const kPaths = {
  memories: "M4 4h12v3H4zM4 9h12M4 12.5h12M4 16h8",
  recall: "M9 3.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11zM13 13l4 4",
  ask: "M4 4.5h12v8.5H9.5L6 16v-3H4z",
  import: "M10 3v9M6.5 8.5L10 12l3.5-3.5M4 16.5h12",
  spaces: "M3.5 3.5h5.5v5.5H3.5zM11 3.5h5.5v5.5H11zM3.5 11h5.5v5.5H3.5zM11 11h5.5v5.5H11z",
  store: "M4 16.5V9M8 16.5V4M12 16.5v-6M16 16.5V7",
  keys: "M2.5 5.5h15v9h-15zM5.5 8.5h0M8.5 8.5h0M11.5 8.5h0M14.5 8.5h0M6.5 11.7h7",
  "sign-out": "M8.5 4H4v12h4.5M12.5 6.5L16 10l-3.5 3.5M16 10H8",
  back: "M12.5 4.5L7 10l5.5 5.5",
  "theme-system": "M10 3.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM10 3.5v13",
  "theme-light": "M10 6.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7zM10 2v1.7M10 16.3V18M2 10h1.7" +
    "M16.3 10H18M4.4 4.4l1.2 1.2M14.4 14.4l1.2 1.2M15.6 4.4l-1.2 1.2M5.6 14.4l-1.2 1.2",
  "theme-dark": "M15.8 11.8A6.5 6.5 0 1 1 8.2 4.2a5.2 5.2 0 0 0 7.6 7.6z",
};

export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" },
    s("path", { d: kPaths[name] ?? "" }));
}
