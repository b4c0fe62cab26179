// Writing one memory by hand.
import { inSpace, post } from "./api.js";
import { fill, h } from "./dom.js";
import { failure, toast } from "./notice.js";
import { go, link } from "./router.js";

/// `sessionName` says under which session it goes.
export function writeForm(sessionName) {
  const text = h("textarea", {
    name: "text", rows: "4", required: true, spellcheck: "true", "aria-label": "Text",
    placeholder: "Ada moved to Lisbon in May.",
  });
  const title = h("input", {
    name: "title", autocomplete: "off", placeholder: "Title, if it needs one", "aria-label": "Title",
  });
  const button = h("button", { class: "primary" }, "Remember");
  const said = h("div", { class: "said" });

  const submit = async (event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    button.disabled = true;
    const session = sessionName();
    try {
      const { id } = await post("/v1/memories", inSpace({
        text: text.value,
        ...(title.value.trim() && { title: title.value.trim() }),
        ...(session && { session }),
      }));
      form.reset();
      fill(said);
      text.focus();
      toast("Remembered.", { label: "See it", run: () => go(link("memories", id)) });
      dispatchEvent(new Event("kvasir-spaces"));
    } catch (problem) {
      fill(said, failure(problem));
    }
    button.disabled = false;
  };
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  };
  const form = h("form", { class: "write-form", onsubmit: submit, onkeydown: keys },
    text, h("div", { class: "write-line" }, title, button), said);
  return form;
}
