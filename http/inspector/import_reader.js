// Files as lines of POST /v1/memories:batch.

/// What the server refuses anyway, said before it is sent.
const kMaxTextBytes = 8 * 1024 * 1024;
/// Fields of a stored memory that an export has and a new one cannot have.
const kReadOnly = ["number", "space", "provenance", "version", "content_hash", "etag", "created_at",
  "updated_at", "segments", "tokens", "score", "type"];

export const canRead = (file) => /\.(txt|md|markdown|jsonl|ndjson)$/i.test(file.name);

/// The memories of one file. Throws an Error in one line.
export async function readMemories(file, session) {
  if (!canRead(file)) throw new Error("Only .txt, .md and .jsonl can be read.");
  const text = (await file.text()).replace(/^\uFEFF/, "");
  const name = file.webkitRelativePath || file.name;
  if (/\.(jsonl|ndjson)$/i.test(file.name)) return rows(text, session);
  if (text.trim() === "") throw new Error("The file is empty.");
  if (file.size > kMaxTextBytes) throw new Error("The file is over 8 MB; one memory cannot be.");
  const heading = /^#\s+(.+)$/m.exec(text.slice(0, 4096));
  const title = /\.(md|markdown)$/i.test(name) && heading ? heading[1].trim() : name;
  return [withSession({ id: name, title, text, source: name }, session)];
}

function rows(text, session) {
  return text.split("\n").map((line, at) => ({ line: line.trim(), at: at + 1 }))
    .filter(({ line }) => line !== "").map(({ line, at }) => withSession(row(line, at), session));
}

function row(line, at) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`Line ${at} is not JSON.`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Error(`Line ${at} is not a JSON object.`);
  }
  const source = value.provenance?.source;
  for (const name of kReadOnly) delete value[name];
  for (const [name, content] of Object.entries(value)) {
    if (content === null || content === "") delete value[name];
  }
  if (source && !value.source) value.source = source;
  if (value.messages) delete value.text;
  return value;
}

const withSession = (memory, session) => (session && !memory.session ? { ...memory, session }
  : memory);

/// Groups that one request carries: bounded in lines, so that progress is seen, and in characters.
export function batches(memories) {
  const kLines = 32;
  const kCharacters = 1024 * 1024;
  const groups = [];
  let group = [];
  let size = 0;
  for (const memory of memories) {
    const line = JSON.stringify(memory);
    if (group.length === kLines || (group.length > 0 && size + line.length > kCharacters)) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(line);
    size += line.length;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
