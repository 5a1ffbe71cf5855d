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

test("a plan that was made anew is compared with the one that was sent back", () => {
  const maker = { previous_result: { rejected: { by: "alice", comment: "smaller", output: { plan: "old" } } } };
  expect(rejectedBefore(maker as unknown as TaskDetail)).toEqual({
    text: "old",
    isPlan: true,
    task: null,
    what: "the plan that alice rejected",
    comment: "smaller",
  });
  expect(rejectedBefore({ previous_result: { plan: "x" } } as unknown as TaskDetail)).toBeNull();
});

test("else with that of the task of the same agent before it", () => {
  const link = (task_id: string, agent: string): object => ({ task_id, agent });
  const task = {
    task_id: "d",
    current_agent: "executor",
    chain: [link("a", "planner"), link("b", "executor"), link("c", "review"), link("d", "executor"), link("e", "executor")],
  } as unknown as TaskDetail;
  expect(earlierOfSameAgent(task)).toBe("b");
  expect(earlierOfSameAgent({ ...task, task_id: "b" })).toBeNull();
  const earlier = {
    payload: null,
    previous_result: { plan: "old" },
    decisions: [
      { kind: "reject", by: "bob", comment: "no" },
      { kind: "approve", by: "carol", comment: null },
      { kind: "retry", by: "dave", comment: null },
    ],
  } as unknown as TaskDetail;
  expect(decidedBefore(earlier)).toEqual({
    text: "old",
    isPlan: true,
    task: earlier,
    what: "the plan that carol approved",
    comment: null,
  });
});

test("what was approved last is compared with while its text is kept: plan with plan, else all that the agent gets", () => {
  const given = (payload: Json): TaskDetail =>
    ({ title: "t", payload, previous_result: null, links: [], actor: null }) as unknown as TaskDetail;
  const since = (payload: Json, kept = true): TaskDetail =>
    ({ ...given(payload), approved_before: { kept, by: "alice", comment: "go" } }) as unknown as TaskDetail;
  expect(approvedBefore(since({ plan: "new" }), given({ plan: "old" }))).toEqual({
    text: "old",
    isPlan: true,
    task: given({ plan: "old" }),
    what: "the plan that alice approved",
    comment: "go",
  });
  expect(approvedBefore(since({ mode: 2 }), given({ mode: 1 }))).toEqual({
    text: contentText(given({ mode: 1 })),
    isPlan: false,
    task: null,
    what: "what alice approved",
    comment: "go",
  });
  expect(approvedBefore(since({ plan: "new" }, false), given({ plan: "other" }))).toBeNull();
  expect(approvedBefore(given({ plan: "new" }), given({ plan: "old" }))).toBeNull();
});

test("what else is given is compared without the plan, unless that is another one that reads the same", () => {
  const given = (payload: Json, previous_result: Json = null): TaskDetail =>
    ({ title: "t", payload, previous_result, links: [], actor: null }) as unknown as TaskDetail;
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
