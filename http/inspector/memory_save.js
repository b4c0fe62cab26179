// An edit on the condition that nobody else has edited since it was read.
import { Problem, call, get, inSpace, memoryPath } from "./api.js";

/// Writes `fields` over `memory` as it was at `etag`; {memory, etag} as they are now. Throws
/// Problem with code "stale" when it is not what was read any more.
export async function saveVersion(memory, fields, etag) {
  const path = memoryPath(memory.id);
  const headers = { "If-Match": etag };
  await call("PUT", path, { body: inSpace(changed(memory, fields)), headers });
  const read = await get(path, inSpace(), { withTag: true });
  return { memory: read.json, etag: read.etag };
}

/// Only what differs: a title alone needs no new text.
function changed(memory, fields) {
  const differ = Object.entries(fields).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(memory[name]));
  if (differ.length === 0) throw new Problem(0, { detail: "Nothing was changed.", code: "same" });
  return Object.fromEntries(differ);
}
