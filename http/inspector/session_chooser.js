// A small select of the space's sessions, the last written ones first.
import { get, inSpace } from "./api.js";
import { fill, h } from "./dom.js";

/// More than anybody looks through; the Spaces view has the others.
const kMost = 300;

/// `onChoose` gets the session's name, "" for all.
export function sessionChooser(onChoose) {
  const select = h("select", { "aria-label": "Session" }, h("option", { value: "" },
    "All sessions"));
  const element = h("span", { class: "session-choice" }, select);
  select.addEventListener("change", () => onChoose(select.value));
  const refresh = async (chosen) => {
    const { sessions } = await get("/v1/sessions", inSpace()).catch(() => ({ sessions: [] }));
    const names = sessions.filter((session) => session.name !== "")
      .sort((a, b) => b.last_write.localeCompare(a.last_write)).slice(0, kMost)
      .map((session) => session.name);
    if (chosen && !names.includes(chosen)) names.push(chosen);
    // A choice of one is none: the control goes, and its label with it.
    (select.closest(".option") ?? element).hidden = names.length === 0;
    fill(select, h("option", { value: "" }, "All sessions"),
      names.map((name) => h("option", { value: name, selected: name === chosen }, name)));
  };
  return { element, refresh, select };
}
