// Conditions on a memory's fields: "topic eq home", as rows that can be added and removed.
import { h } from "./dom.js";

const kOperators = {
  eq: "is", ne: "is not", contains: "contains", icontains: "contains, any case",
  gt: "more than", gte: "at least", lt: "less than", lte: "at most",
  in: "is one of", nin: "is none of", exists: "exists",
};

/// `rows` as [[field, operator, value]]. read() gives them back without the empty ones.
export function filterRows(rows) {
  const list = h("div", { class: "filter-rows" });
  const add = (row = ["", "eq", ""]) => {
    const field = h("input", { placeholder: "field, as topic", "aria-label": "Field" });
    const operator = h("select", { "aria-label": "Operator" },
      Object.entries(kOperators).map(([name, label]) =>
        h("option", { value: name, selected: name === row[1] }, label)));
    const value = h("input", { placeholder: "value", "aria-label": "Value" });
    [field.value, , value.value] = row;
    const line = h("div", { class: "filter-row" }, field, operator, value,
      h("button", {
        type: "button", class: "quiet", "aria-label": "Remove this condition",
        onclick: () => line.remove(),
      }, "×"));
    list.append(line);
    return field;
  };
  rows.forEach(add);
  const more = h("button", {
    type: "button", class: "quiet", onclick: () => add().focus(),
  }, "+ Condition");
  return {
    element: h("div", {}, list, more),
    read: () => [...list.children].map((line) =>
      [...line.querySelectorAll("input, select")].map((control) => control.value.trim()))
      .filter(([field]) => field !== ""),
  };
}

/// The server's form of the rows; undefined when there are none.
export function filtersOf(rows) {
  if (rows.length === 0) return undefined;
  return {
    AND: rows.map(([field, operator, text]) =>
      ({ [field]: { [operator]: valueOf(operator, text) } })),
  };
}

function valueOf(operator, text) {
  if (operator === "exists") return text !== "false" && text !== "no";
  if (operator === "in" || operator === "nin") {
    return text.split(",").map((part) => plain(part.trim()));
  }
  return plain(text);
}

/// Numbers, true, false and null mean themselves; quotes make a text of them.
function plain(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? text : value;
  } catch {
    return text;
  }
}
