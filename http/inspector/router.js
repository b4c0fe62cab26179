// Where the user is: "#/memories/ID?session=s" is view "memories", id "ID", params {session: "s"}.

export function current() {
  const [, path, query = ""] = /^#?\/?([^?]*)\??(.*)$/.exec(location.hash);
  const [view, ...rest] = path.split("/");
  return {
    view: view || "memories",
    id: decode(rest.join("/")),
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function link(view, id = "", params = {}) {
  const kept = Object.entries(params).filter(([, value]) => value !== "" && value != null);
  const query = new URLSearchParams(kept).toString();
  const path = id ? `${view}/${encodeURIComponent(id)}` : view;
  return `#/${path}${query ? `?${query}` : ""}`;
}

/// Goes there, again if it is here; with `replace`, without a step in the browser's history.
export function go(hash, { replace = false } = {}) {
  if (!replace && location.hash !== hash) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
