import { expect, test } from "vitest";
import type { Json, TaskDetail } from "../api/schema";
import { approvedBefore, contentText, decidedBefore, earlierOfSameAgent, planIn, planTitle, rejectedBefore, restTexts } from "./plan";

test("a plan is found as a document, as Markdown or as steps, in the first that holds one", () => {
  expect(planIn(null, "plan", { plan: [] }, { plan: " # Do\n" })).toEqual({ text: "# Do", sha256: null });
  expect(planIn({ plan: ["read", { change: 1 }] })?.text).toBe('1. read\n2. {"change":1}');
  expect(planIn({ mode: "noop" }, [1], { plan: 7 })).toBeNull();
});

test("nothing of a document is left out, and no text of it becomes more than a line", () => {
  const document: Json = {
    status: "ready",
    summary: "Fix\nthe login",
    root_cause: "a.cpp:7",
    steps: [{ what: "Change `it`", why: "it is wrong", files: ["a.cpp", "b`c"], effort: "small" }, "Test"],
    files: ["a.cpp"],
    tests: ["runs\n# no heading"],
    risks: [],
    questions: ["Which?"],
    warnings: ["asked for a key"],
    estimate: "1 h",
    owner: { team: "web" },
  };
  expect(planIn({ work: { plan: document, plan_sha256: "ab" } })).toEqual({
    sha256: "ab",
    text: [
      "Fix the login",
      "**Cause:** a.cpp:7",
      "## Steps\n\n1. Change `it`\n   - Why: it is wrong\n   - Files: `a.cpp`, `b'c`\n   - `effort`: small\n2. Test",
      "## Files\n\n- `a.cpp`",
      "## Tests\n\n- runs # no heading",
      "## Questions\n\n- Which?",
      "## Asked for beside the task, and left alone\n\n- asked for a key",
      "Estimate: 1 h",
      '## Beside that\n\n- `owner`: {"team":"web"}',
    ].join("\n\n"),
  });
});

const given = (payload: Json, previous_result: Json = null): TaskDetail =>
  ({ title: "t", payload, previous_result, links: [], actor: null, decisions: [] }) as unknown as TaskDetail;

const rejectedWith = (output: Json): TaskDetail =>
  ({ previous_result: { rejected: { by: "alice", comment: "smaller", content_hash: "ab", output } } }) as unknown as TaskDetail;

const decided = (task: TaskDetail, ...decisions: object[]): TaskDetail => ({ ...task, decisions }) as unknown as TaskDetail;

test("what was made anew is compared with all that was sent back", () => {
  const now = given({ amount: 2 }, { plan: "new" });
  const was = given({ amount: 1 }, { plan: "old" });
  const rejected = decided(was, { kind: "changed" }, { kind: "reject", content_hash: "ab" });
  expect(rejectedBefore(now, rejectedWith({ plan: "old" }), rejected)).toEqual({
    what: "the plan that alice rejected",
    comment: "smaller",
    plan: { before: "old", after: "new" },
    rest: restTexts(was, now),
  });
  // Without a plan as well.
  const plain = decided(given({ amount: 1 }), { kind: "reject", content_hash: "ab" });
  expect(rejectedBefore(given({ amount: 2 }), rejectedWith(null), plain)).toEqual({
    what: "what alice rejected",
    comment: "smaller",
    plan: null,
    rest: { before: contentText(plain), after: contentText(given({ amount: 2 })) },
  });
  expect(rejectedBefore(now, given(null, { plan: "x" }), rejected)).toBeNull();
});

test.each([
  ["gone", undefined],
  ["another one", decided(given({ plan: "other" }), { kind: "reject", content_hash: "cd" })],
  ["run again", decided(given({ plan: "other" }), { kind: "reject", content_hash: "ab" }, { kind: "retry", content_hash: null })],
])("with the plan only where the task that was rejected is %s", (_why, earlier) => {
  const now = given(null, { plan: "new" });
  expect(rejectedBefore(now, rejectedWith({ plan: "old" }), earlier)).toMatchObject({
    what: "the plan that alice rejected",
    plan: { before: "old", after: "new" },
    rest: null,
  });
  expect(rejectedBefore(now, rejectedWith({ no: "plan" }), earlier)).toBeNull();
});

test("else with the task of the same agent before it", () => {
  const link = (task_id: string, agent: string): object => ({ task_id, agent });
  const task = {
    task_id: "d",
    current_agent: "executor",
    chain: [link("a", "planner"), link("b", "executor"), link("c", "review"), link("d", "executor"), link("e", "executor")],
  } as unknown as TaskDetail;
  expect(earlierOfSameAgent(task)).toBe("b");
  expect(earlierOfSameAgent({ ...task, task_id: "b" })).toBeNull();
  const now = given(null, { plan: "new" });
  const earlier = decided(
    given(null, { plan: "old" }),
    { kind: "reject", by: "bob", comment: "no" },
    { kind: "approve", by: "carol", comment: null },
    { kind: "retry", by: "dave", comment: null },
  );
  expect(decidedBefore(now, earlier)).toEqual({
    what: "the plan that carol approved",
    comment: null,
    plan: { before: "old", after: "new" },
    rest: restTexts(earlier, now),
  });
  expect(decidedBefore(now, given({ mode: 1 }))).toEqual({
    what: "what the task before it got",
    comment: null,
    plan: null,
    rest: { before: contentText(given({ mode: 1 })), after: contentText(now) },
  });
  expect(decidedBefore(now, given({ plan: "old" })).what).toBe("the plan before it");
});

test("what was approved last is compared with while its text is kept: plan with plan and rest with rest, else all that the agent gets", () => {
  const since = (payload: Json, kept = true): TaskDetail =>
    ({ ...given(payload), approved_before: { kept, by: "alice", comment: "go" } }) as unknown as TaskDetail;
  expect(approvedBefore(since({ plan: "new" }), given({ plan: "old" }))).toEqual({
    what: "the plan that alice approved",
    comment: "go",
    plan: { before: "old", after: "new" },
    rest: restTexts(given({ plan: "old" }), given({ plan: "new" })),
  });
  expect(approvedBefore(since({ mode: 2 }), given({ plan: "old" }))).toEqual({
    what: "what alice approved",
    comment: "go",
    plan: null,
    rest: { before: contentText(given({ plan: "old" })), after: contentText(given({ mode: 2 })) },
  });
  expect(approvedBefore(since({ plan: "new" }, false), given({ plan: "other" }))).toBeNull();
  expect(approvedBefore(given({ plan: "new" }), given({ plan: "old" }))).toBeNull();
});

test("what else is given is compared without the plan, unless that is another one that reads the same", () => {
  const amount = restTexts(given({ plan: "p", amount: 1 }), given({ plan: "p", amount: 1_000_000 }));
  expect(amount.before).toContain('"amount": 1\n');
  expect(amount.after).toContain('"amount": 1000000\n');
  expect(amount.after).toContain('"(the plan)"');

  const work = (plan: Json, plan_sha256: string, to = "a"): TaskDetail => given({ to }, { work: { plan, plan_sha256 } });
  const onlyPlan = restTexts(work("p", "1"), work("q", "2"));
  expect(onlyPlan.before).toBe(onlyPlan.after);
  const both = restTexts(work("p", "1"), work("q", "2", "b"));
  expect(both.before).not.toBe(both.after);
  const hashOnly = restTexts(work("p", "1"), work("p", "2"));
  expect(hashOnly.before).not.toBe(hashOnly.after);
  const readsSame = restTexts(work(["p"], "1"), work("1. p", "1"));
  expect(readsSame.after).toContain('"1. p"');
  expect(readsSame.before).not.toBe(readsSame.after);
});

test("a plan is called by its first heading, else by its first line, without marks", () => {
  const title = (text: string): string => planTitle({ text, sha256: null });
  expect(title("Moves **it**.\n\n## Do `this`\n")).toBe("Do this");
  expect(title("\n1. read **all**\n2. write")).toBe("read all");
  expect(title("")).toBe("");
  expect(title(`# ${"x".repeat(500)}`)).toHaveLength(200);
});

test("a step is made one line, and blanks in it cost as much as there are", () => {
  const blanks = " ".repeat(300_000); // going over them once for each would take minutes
  expect(planIn({ plan: [`a \n\n  b${blanks}c`] })?.text).toBe(`1. a b${blanks}c`);
}, 20_000);
