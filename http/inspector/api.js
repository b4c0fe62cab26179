// Every call of the server goes through here.
import { session } from "./session.js";

/// What the server said was wrong, in one line (RFC 9457).
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.requestId = body.request_id ?? "";
    this.retryable = body.retryable ?? false;
  }
}

/// Told when the server wants a key that this tab does not have.
export const keyNeeded = new EventTarget();

/// The answer's JSON, and its ETag as `etag` where asked for with `withTag`.
export async function call(method, path, options = {}) {
  const response = await send(method, path, options);
  const json = await response.json();
  return options.withTag ? { json, etag: response.headers.get("etag") } : json;
}

export const get = (path, query, options = {}) => call("GET", path, { query, ...options });
export const post = (path, body, options = {}) => call("POST", path, { body, ...options });

/// The answer itself once it is known to be a good one. Throws Problem.
export async function send(method, path, { query, body, lines, headers, signal } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== "" && value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  const sent = new Headers(headers);
  if (session.key) sent.set("Authorization", `Bearer ${session.key}`);
  if (body !== undefined) sent.set("Content-Type", "application/json");
  if (lines !== undefined) sent.set("Content-Type", "application/x-ndjson");
  let response;
  try {
    response = await fetch(url, {
      method, signal, headers: sent, cache: "no-store", credentials: "omit",
      body: lines ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const detail = "The server cannot be reached. Is kvasir serve running?";
    throw new Problem(0, { detail, code: "unreachable", retryable: true });
  }
  if (response.ok) return response;
  const problem = new Problem(response.status, await response.json().catch(() => ({})));
  if (response.status === 401) keyNeeded.dispatchEvent(new Event("needed"));
  throw problem;
}

/// Adds the chosen space to a query or a body.
export function inSpace(fields = {}) {
  return session.space ? { space: session.space, ...fields } : fields;
}

export const memoryPath = (id) => `/v1/memories/${encodeURIComponent(id)}`;
