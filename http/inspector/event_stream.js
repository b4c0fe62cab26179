// Server-sent events of a POST: EventSource can only GET and cannot send a key.
import { send } from "./api.js";

/// Yields {event, data} until the server ends the stream. Aborting `signal` stops the model too.
export async function* events(path, body, signal) {
  const headers = { Accept: "text/event-stream" };
  const response = await send("POST", path, { body, headers, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const event = parse(block);
      if (event) yield event;
    }
  }
}

/// Null for the comment lines that keep the connection open.
function parse(block) {
  let name = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  return name ? { event: name, data: JSON.parse(data) } : null;
}
