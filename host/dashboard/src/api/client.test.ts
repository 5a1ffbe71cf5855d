import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { get, post, queryText } from "./client";
import { askSession, credentials, forget, signIn, signOut } from "./session";

const answer = vi.fn<(path: string, init?: RequestInit) => Promise<Response>>();

beforeEach(() => {
  vi.stubGlobal("fetch", answer);
});
afterEach(() => {
  forget();
  vi.unstubAllGlobals();
  answer.mockReset();
});

function says(status: number, body: unknown): void {
  answer.mockResolvedValueOnce(new Response(JSON.stringify(body), { status }));
}

const ada = { name: "ada", role: "admin", way: "session", csrf_token: "c1", expires_at: null };
const nobody = { name: null, role: null, way: null, csrf_token: null, expires_at: null };

async function signedIn(): Promise<void> {
  says(200, ada);
  expect(await signIn(" a-token \n")).toBeNull();
}

test("absent parameters do not stand in the address", () => {
  expect(queryText({ a: "x y", b: undefined, c: "", d: 0 })).toBe("?a=x+y&d=0");
  expect(queryText({})).toBe("");
});

test("the token is sent once, and kept nowhere; acts carry the second secret, and reading does not", async () => {
  expect(credentials()).toEqual({});
  await signedIn();
  expect(answer.mock.lastCall?.[0]).toBe("/api/session");
  expect(answer.mock.lastCall?.[1]).toMatchObject({ method: "POST", body: '{"token":"a-token"}' });
  says(200, { ok: true });
  await get("/api/x", { q: "1" });
  const [path, init] = answer.mock.lastCall ?? [];
  expect(path).toBe("/api/x?q=1");
  expect(init?.headers).toEqual({});
  says(200, { ok: true });
  await post("/api/x");
  expect(answer.mock.lastCall?.[1]?.headers).toMatchObject({ "X-CSRF-Token": "c1" });
  expect(JSON.stringify(answer.mock.lastCall)).not.toContain("a-token");
});

test("who signed in before is still signed in after a reload, and nobody is no failure", async () => {
  says(200, ada);
  expect(await askSession()).toBe(true);
  expect(credentials()).toEqual({ "X-CSRF-Token": "c1" });
  says(200, nobody);
  expect(await askSession()).toBe(false);
  expect(credentials()).toEqual({});
  answer.mockRejectedValueOnce(new TypeError("failed to fetch"));
  expect(await askSession()).toBe(false);
});

test("signing out ends the session in davit, and goes on here if davit does not answer", async () => {
  await signedIn();
  answer.mockRejectedValueOnce(new TypeError("failed to fetch"));
  expect(await signOut()).toContain("Is it running");
  expect(credentials()).not.toEqual({});
  answer.mockResolvedValueOnce(new Response(null, { status: 204 }));
  expect(await signOut()).toBeNull();
  expect(answer.mock.lastCall?.[1]).toMatchObject({ method: "DELETE", headers: { "X-CSRF-Token": "c1" } });
  expect(credentials()).toEqual({});
});

test("an act goes through although another tab has signed in anew, and a refusal is asked for once", async () => {
  await signedIn();
  says(403, {});
  says(200, { ...ada, csrf_token: "c2" });
  says(200, { ok: true });
  await post("/api/x");
  expect(answer.mock.lastCall?.[1]?.headers).toMatchObject({ "X-CSRF-Token": "c2" });
  says(403, { detail: "not you" });
  says(200, { ...ada, csrf_token: "c2" });
  await expect(post("/api/x")).rejects.toMatchObject({ status: 403, message: "not you" });
});

test("too many tries are told with the time to wait", async () => {
  answer.mockResolvedValueOnce(new Response("{}", { status: 429, headers: { "Retry-After": "6" } }));
  expect(await signIn("a-token")).toContain("Wait 6 seconds");
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
  says(400, { detail: "see errors", errors: [{ field: "limit", detail: "must be a number" }] });
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

test("a session that is over signs out", async () => {
  await signedIn();
  says(401, {});
  await expect(get("/api/x", {})).rejects.toMatchObject({ status: 401 });
  expect(credentials()).toEqual({});
});
