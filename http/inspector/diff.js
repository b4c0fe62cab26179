// What changed between two texts, word by word.

/// Longest texts that are compared word by word; longer ones line by line.
const kMostPairs = 4_000_000;

/// [{kind: "same" | "gone" | "new", text}], in order: without "gone" it is `after`, without "new"
/// `before`.
export function diff(before, after) {
  let pieces = [words(before), words(after)];
  if (pieces[0].length * pieces[1].length > kMostPairs) pieces = [lines(before), lines(after)];
  const [a, b] = pieces;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start &&
         a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middle = longestCommon(a.slice(start, a.length - tail), b.slice(start, b.length - tail));
  const same = (list) => list.map((text) => ({ kind: "same", text }));
  return join([...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - tail))]);
}

const words = (text) => text.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
const lines = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/// The classical table, filled from the end; when even lines are too many, all is replaced.
function longestCommon(a, b) {
  if (a.length * b.length > kMostPairs) return [...mark("gone", a), ...mark("new", b)];
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const result = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      result.push({ kind: "same", text: a[i] });
      i += 1;
      j += 1;
    } else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
      result.push({ kind: "gone", text: a[i++] });
    } else {
      result.push({ kind: "new", text: b[j++] });
    }
  }
  return [...result, ...mark("gone", a.slice(i)), ...mark("new", b.slice(j))];
}

const mark = (kind, list) => list.map((text) => ({ kind, text }));

function join(pieces) {
  const joined = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last?.kind === piece.kind) last.text += piece.text;
    else joined.push({ ...piece });
  }
  return joined;
}
