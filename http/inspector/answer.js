// An answer while it is made: hops, then tokens, then what it cites.
import { get, inSpace, memoryPath } from "./api.js";
import { fill, h } from "./dom.js";
import { milliseconds, nameOf, plural, score } from "./format.js";
import { link } from "./router.js";

export function makeAnswer(out) {
  const begun = performance.now();
  const hops = h("ol", { class: "hops" });
  const text = h("p", { class: "answer-text", "aria-live": "polite" });
  const citations = h("div", { class: "citations" });
  const foot = h("p", { class: "small muted" }, "Routing");
  let firstToken = 0;
  let tokens = 0;
  fill(out, h("div", { class: "answer working" }, hops, text, citations, foot));

  const takers = {
    hop({ hop, ids }) {
      const list = h("ul", {}, ids.map(memoryLine));
      hops.append(h("li", {}, h("span", { class: "label" }, `Hop ${hop}`), list));
      fill(foot, "Reading");
    },
    token({ text: piece }) {
      if (firstToken === 0) firstToken = performance.now();
      tokens += 1;
      text.append(piece);
      fill(foot, `Answering · ${plural(tokens, "token")}`);
    },
    citation() {},
    done(result) {
      answer.result = result;
      finish();
      // The whole answer is what counts; the pieces were on their way to it.
      fill(text, result.answer);
      fill(citations, result.citations.length > 0 && h("h2", {}, "Cited"),
        result.citations.map(citation));
      scores(result);
      fill(foot, [
        result.reasoner === "local" ? "local model" : result.reasoner,
        `${plural(result.prompt_tokens, "prompt token")}`,
        `${plural(result.new_tokens, "new token")}`,
        firstToken > 0 && `first after ${milliseconds(firstToken - begun)}`,
        milliseconds(performance.now() - begun),
      ].filter(Boolean).join(" · "));
    },
  };

  function finish() {
    out.querySelector(".answer")?.classList.remove("working");
  }

  function scores(result) {
    result.hops.forEach((hop, at) => {
      const lines = hops.children[at]?.querySelectorAll("li") ?? [];
      hop.scores.forEach((value, i) =>
        lines[i]?.append(h("span", { class: "num small muted" }, score(value))));
    });
  }

  const answer = {
    result: null,
    take: (event, data) => takers[event]?.(data),
    stopped() {
      finish();
      fill(foot, "Stopped; the model went no further.");
    },
  };
  return answer;
}

/// Named by its id until its title is there.
function memoryLine(id) {
  const anchor = h("a", { href: link("memories", id) }, id);
  get(memoryPath(id), inSpace()).then((memory) => fill(anchor, nameOf(memory)), () => {});
  return h("li", {}, anchor);
}

function citation({ id, title, text }) {
  return h("blockquote", {}, h("p", {}, text),
    h("cite", {}, h("a", { href: link("memories", id) }, title || id)));
}
