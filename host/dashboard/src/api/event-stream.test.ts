import { expect, test } from "vitest";
import { EventParser, type ServerEvent, readEvents } from "./event-stream";

const text =
  "retry: 2000\nid: e-1\nevent: hello\ndata: {\"resumed\":false}\n\n:\nid: e-4\n\nevent: log\ndata: one\ndata: two\n\ndata:bare\n\n";
const events: ServerEvent[] = [
  { event: "hello", data: '{"resumed":false}' },
  { event: "log", data: "one\ntwo" },
  { event: "message", data: "bare" },
];

test("events are the same in whatever pieces they come", () => {
  for (const size of [1, 2, 3, 7, 1000]) {
    const parser = new EventParser("");
    const seen: ServerEvent[] = [];
    for (let at = 0; at < text.length; at += size) seen.push(...parser.take(text.slice(at, at + size)));
    expect(seen).toEqual(events);
    expect(parser.lastId).toBe("e-4");
  }
});

test("an event that is cut off by the end is none", () => {
  const parser = new EventParser("e-9");
  expect(parser.take('id: e-10\nevent: task\ndata: {"task_id"')).toEqual([]);
  expect(new EventParser("e-9").lastId).toBe("e-9");
});

test("a body is read to its end, characters that come in two pieces as well", async () => {
  const bytes = new TextEncoder().encode("data: grün\n\ndata: two\n\n");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const seen: ServerEvent[] = [];
  await readEvents(body, "", (some) => seen.push(...some));
  expect(seen.map((each) => each.data)).toEqual(["grün", "two"]);
});
