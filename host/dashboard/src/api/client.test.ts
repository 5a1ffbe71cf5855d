import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { get, post, queryText } from "./client";
import { credentials, signIn, signOut } from "./session";

const answer = vi.fn<(path: string, init?: RequestInit) => Promise<Response>>();

beforeEach(() => {
  vi.stubGlobal("fetch", answer);
});
afterEach(() => {
  signOut();
  vi.unstubAllGlobals();
  answer.mockReset();
});

function says(status: number, body: unknown): void {
  answer.mockResolvedValueOnce(new Response(JSON.stringify(body), { status }));
}

async function signedIn(): Promise<void> {
  says(200, {});
  expect(await signIn(" a-token \n")).toBeNull();
}

test("absent parameters do not stand in the address", () => {
  expect(queryText({ a: "x y", b: undefined, c: "", d: 0 })).toBe("?a=x+y&d=0");
  expect(queryText({})).toBe("");
});

test("a request carries the token that was typed in, and nothing does before", async () => {
  expect(credentials()).toEqual({});
  await signedIn();
  says(200, { ok: true });
  await get("/api/x", { q: "1" });
  const [path, init] = answer.mock.lastCall ?? [];
  expect(path).toBe("/api/x?q=1");
  expect(init?.headers).toMatchObject({ Authorization: "Bearer a-token" });
});

test.each([
  [401, "does not know this token"],
  [503, "503"],
])("signing in is refused with a sentence when davit answers %d", async (status, sentence) => {
  says(status, {});
  expect(await signIn("a-token")).toContain(sentence);
  expect(credentials()).toEqual({});
});

test("what cannot be a token is not even sent", async () => {
  expect(await signIn("two words")).toContain("without blanks");
  expect(answer).not.toHaveBeenCalled();
});

test("what is put or deleted says so, with its body", async () => {
  says(200, { done: true });
  expect(await post("/api/x", { a: 1 }, "PUT")).toEqual({ done: true });
  expect(answer.mock.lastCall?.[1]).toMatchObject({ method: "PUT", body: '{"a":1}' });
});

test("a failure is the server's own sentence, with each field at fault", async () => {
  says(409, { title: "Conflict", detail: "the task has changed", request_id: "r1" });
  await expect(post("/api/x")).rejects.toMatchObject({ status: 409, message: "the task has changed", requestId: "r1" });
  says(400, { detail: "see errors", errors: [{ field: "limit", message: "must be a number" }] });
  await expect(get("/api/x", {})).rejects.toMatchObject({ message: "limit must be a number" });
});

test("an answer that is none of davit's is told by its status", async () => {
  answer.mockResolvedValueOnce(new Response("<html>", { status: 502 }));
  await expect(get("/api/x", {})).rejects.toMatchObject({ status: 502, message: "davit answered 502" });
});

test("no answer is said in words", async () => {
  answer.mockRejectedValueOnce(new TypeError("failed to fetch"));
  await expect(get("/api/x", {})).rejects.toMatchObject({ status: 0, message: expect.stringContaining("Is it running") });
});

test("a token that is refused signs out", async () => {
  await signedIn();
  says(401, {});
  await expect(get("/api/x", {})).rejects.toMatchObject({ status: 401 });
  expect(credentials()).toEqual({});
});
