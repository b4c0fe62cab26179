// Elements without markup: what a memory says only ever becomes a text node.

/// An element. Of `props`, "on…" are listeners, `style` an object of custom properties, the others
/// attributes; null and false leave a name out. Children are nodes or texts.
export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

/// The same in SVG.
export function s(tag, props, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/// Replaces everything in `parent`.
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
  return parent;
}

/// Is the user writing somewhere?
export function isTyping(target) {
  return target.matches?.("input, textarea, select, [contenteditable]") ?? false;
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") {
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    } else if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  const kept = children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false);
  return kept.map((c) => (c instanceof Node ? c : String(c)));
}
