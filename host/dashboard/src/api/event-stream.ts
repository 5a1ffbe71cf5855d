// Server-sent events as the browser's own EventSource reads them, but from a body of fetch(): so a stream is asked for
// like everything else of the API, and what the server says when it refuses one can be seen.

export interface ServerEvent {
  event: string;
  data: string;
}

// Takes the text in whatever pieces it comes.
export class EventParser {
  lastId: string;
  private rest = "";
  private event = "";
  private data: string[] = [];

  constructor(lastId: string) {
    this.lastId = lastId;
  }

  // The events that are whole now.
  take(text: string): ServerEvent[] {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    const events: ServerEvent[] = [];
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) events.push({ event: this.event || "message", data: this.data.join("\n") });
        this.event = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "id") this.lastId = value;
      if (field === "event") this.event = value;
      if (field === "data") this.data.push(value);
    }
    return events;
  }
}

// A server that says nothing for that long, not even that it lives, is gone.
const patience = 45_000;

// Calls `take` with what has come, until the stream ends or is given up. Throws if it breaks.
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  lastId: string,
  take: (events: ServerEvent[], lastId: string) => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  const parser = new EventParser(lastId);
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<"silence">((resolve) => {
      timer = setTimeout(() => resolve("silence"), patience);
    });
    const next = await Promise.race([reader.read(), silence]);
    clearTimeout(timer);
    if (next === "silence") {
      await reader.cancel();
      return;
    }
    if (next.done) return;
    take(parser.take(next.value), parser.lastId);
  }
}
