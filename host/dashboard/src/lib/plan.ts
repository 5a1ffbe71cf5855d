// The plan in what a task is given, or left, as Markdown; and the one before it that a person knows already.
import { ExactNumber } from "../api/exact-json";
import type { Json, TaskDetail } from "../api/schema";

export interface Plan {
  text: string; // Markdown
  sha256: string | null; // as the agent that made it says
}

type Members = { [name: string]: Json };

function members(value: Json | undefined): Members | null {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value) && !((value as unknown) instanceof ExactNumber);
  return isObject ? value : null;
}

function words(value: Json | undefined): string {
  const text = typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").join(" ");
}

// The first of the values that holds a plan: as work.plan (the agents that come with davit) or as plan; as a document, as
// Markdown, or as a list of steps.
export function planIn(...values: Json[]): Plan | null {
  for (const value of values) {
    const all = members(value);
    const work = members(all?.["work"]);
    const plan = work?.["plan"] ?? all?.["plan"];
    const text = plan === undefined ? "" : planText(plan);
    const sha256 = work?.["plan_sha256"];
    if (text !== "") return { text, sha256: typeof sha256 === "string" ? sha256 : null };
  }
  return null;
}

// What one calls it by: its first heading, else its first line.
export function planTitle(plan: Plan): string {
  const lines = plan.text.split("\n").map((line) => line.trim());
  const line = lines.find((each) => /^#{1,6} +\S/.test(each)) ?? lines.find((each) => each !== "") ?? "";
  return line.replace(/^(#{1,6}|[-*]|\d+\.) +/, "").replace(/\*\*|`/g, "").slice(0, 200);
}

export const givenPlan = (task: TaskDetail): Plan | null => planIn(task.payload, task.previous_result);

function planText(plan: Json): string {
  if (typeof plan === "string") return plan.trim();
  if (Array.isArray(plan)) return numbered(plan);
  const document = members(plan);
  return document ? documentText(document) : "";
}

const numbered = (steps: Json[]): string => steps.map((step, index) => `${index + 1}. ${words(step)}`).join("\n");

const known = ["status", "summary", "root_cause", "steps", "files", "tests", "risks", "questions", "warnings", "estimate"];

// As the skill plan-changes shapes it; what a skill of somebody's own has besides stands at the end.
function documentText(document: Members): string {
  const parts: string[] = [];
  const add = (part: string): void => {
    if (part !== "") parts.push(part);
  };
  const list = (heading: string, value: Json | undefined, asCode = false): void => {
    if (!Array.isArray(value) || value.length === 0) return;
    add(`## ${heading}\n\n${value.map((each) => `- ${asCode ? code(words(each)) : words(each)}`).join("\n")}`);
  };
  add(words(document["summary"]));
  if (words(document["root_cause"]) !== "") add(`**Cause:** ${words(document["root_cause"])}`);
  const steps = document["steps"];
  if (Array.isArray(steps) && steps.length > 0) add(`## Steps\n\n${steps.map(step).join("\n")}`);
  list("Files", document["files"], true);
  list("Tests", document["tests"]);
  list("Risks", document["risks"]);
  list("Questions", document["questions"]);
  list("Asked for beside the task, and left alone", document["warnings"]);
  if (words(document["estimate"]) !== "") add(`Estimate: ${words(document["estimate"])}`);
  const others = Object.entries(document).filter(([name]) => !known.includes(name));
  if (others.length > 0)
    add(`## Beside that\n\n${others.map(([name, value]) => `- ${code(name)}: ${words(value)}`).join("\n")}`);
  return parts.join("\n\n");
}

function step(value: Json, index: number): string {
  const all = members(value);
  const indent = " ".repeat(`${index + 1}. `.length);
  if (!all) return `${index + 1}. ${words(value)}`;
  const lines = [`${index + 1}. ${words(all["what"])}`];
  if (words(all["why"]) !== "") lines.push(`${indent}- Why: ${words(all["why"])}`);
  const files = all["files"];
  if (Array.isArray(files) && files.length > 0)
    lines.push(`${indent}- Files: ${files.map((file) => code(words(file))).join(", ")}`);
  for (const [name, more] of Object.entries(all))
    if (!["what", "why", "files"].includes(name)) lines.push(`${indent}- ${code(name)}: ${words(more)}`);
  return lines.join("\n");
}

const code = (text: string): string => `\`${text.replaceAll("`", "'")}\``;

export interface Texts {
  before: string;
  after: string;
}

// What a task is given, compared with what was given before it: what was sent back, what was approved last, or what the task of the same
// agent before this one got.
export interface Before {
  what: string; // "the plan that alice rejected"
  comment: string | null;
  plan: Texts | null; // in Markdown; null: one of the two has none
  rest: Texts | null; // all else that its agent is given, without a plan all of it; null: it is not known any more
}

// All that its agent is given and the content hash holds, to be compared line by line.
export function contentText(task: TaskDetail): string {
  const { current_agent: agent, task_type: type, source, entity, title, payload, previous_result, links, actor } = task;
  const content = { agent, type, source, entity, title, input: payload, from_the_agent_before: previous_result, links, actor };
  return JSON.stringify(content, null, 2);
}

// What is given beside the plan, of both: a plan that is the same may come with another amount. The plan itself stands in it
// only where it is another one that reads the same.
export function restTexts(before: TaskDetail, after: TaskDetail): Texts {
  const [was, is] = [rawPlan(before), rawPlan(after)];
  const readsSame = givenPlan(before)?.text === givenPlan(after)?.text;
  if (readsSame && JSON.stringify(was) !== JSON.stringify(is)) return { before: contentText(before), after: contentText(after) };
  return { before: contentText(withoutPlan(before, !readsSame)), after: contentText(withoutPlan(after, !readsSame)) };
}

const planPlace = (value: Json): Members | null => {
  const all = members(value);
  const work = members(all?.["work"]);
  return work?.["plan"] !== undefined && work["plan"] !== null ? work : all;
};

const rawPlan = (task: TaskDetail): Json | undefined =>
  planPlace(planIn(task.payload) ? task.payload : task.previous_result)?.["plan"];

// The hash of a plan that has changed tells no more than the plan.
function withoutPlan(task: TaskDetail, withoutHash: boolean): TaskDetail {
  const without = (value: Json): Json => {
    const place = planPlace(value);
    if (!place) return value;
    const rest: Members = { ...place, plan: "(the plan)" };
    if (withoutHash) delete rest["plan_sha256"];
    return place === value ? rest : { ...members(value), work: rest };
  };
  return planIn(task.payload)
    ? { ...task, payload: without(task.payload) }
    : { ...task, previous_result: without(task.previous_result) };
}

// Plan with plan and the rest with the rest; where one of them has no plan, all with all.
function compared(before: TaskDetail, after: TaskDetail): Pick<Before, "plan" | "rest"> {
  const [was, is] = [givenPlan(before), givenPlan(after)];
  if (was && is) return { plan: { before: was.text, after: is.text }, rest: restTexts(before, after) };
  return { plan: null, rest: { before: contentText(before), after: contentText(after) } };
}

const named = (hasPlan: boolean, by: string | null, verb: string): string => `${hasPlan ? "the plan that" : "what"} ${by || "somebody"} ${verb}`;

// From the task that was approved last, if what was approved is still what that task is given.
export function approvedBefore(task: TaskDetail, approved: TaskDetail): Before | null {
  const approval = task.approved_before;
  if (!approval?.kept) return null;
  const both = compared(approved, task);
  return { what: named(both.plan !== null, approval.by, "approved"), comment: approval.comment, ...both };
}

// What was rejected, as the task that made this content anew was told of it.
function rejection(maker: TaskDetail): Members | null {
  return members(members(maker.previous_result)?.["rejected"]);
}

// From the task that made what waits now, which was told what was rejected, and from the one that was rejected then (`earlier`), as long as it
// is still given that.
export function rejectedBefore(task: TaskDetail, maker: TaskDetail, earlier: TaskDetail | undefined): Before | null {
  const rejected = rejection(maker);
  if (!rejected) return null;
  const by = words(rejected["by"]);
  const comment = typeof rejected["comment"] === "string" ? rejected["comment"] : "";
  const about = (both: Pick<Before, "plan" | "rest">): Before => ({
    what: named(both.plan !== null, by, "rejected"),
    comment: comment || null,
    ...both,
  });
  const last = earlier?.decisions.at(-1);
  if (earlier && last?.kind === "reject" && last.content_hash === rejected["content_hash"]) return about(compared(earlier, task));
  // Its task is gone or is given something else by now. What the agent before it had left is told all the same.
  const [was, is] = [planIn(rejected["output"] ?? null), givenPlan(task)];
  return was && is ? about({ plan: { before: was.text, after: is.text }, rest: null }) : null;
}

// The id of the newest task of the same agent that was made before this one, in its chain.
export function earlierOfSameAgent(task: TaskDetail): string | null {
  const index = task.chain.findIndex((link) => link.task_id === task.task_id);
  const earlier = task.chain.slice(0, Math.max(index, 0)).filter((link) => link.agent === task.current_agent);
  return earlier.at(-1)?.task_id ?? null;
}

export function decidedBefore(task: TaskDetail, earlier: TaskDetail): Before {
  const both = compared(earlier, task);
  const decision = earlier.decisions.findLast((each) => each.kind === "approve" || each.kind === "reject");
  const verb = decision?.kind === "approve" ? "approved" : "rejected";
  return {
    what: decision ? named(both.plan !== null, decision.by, verb) : both.plan ? "the plan before it" : "what the task before it got",
    comment: decision?.comment ?? null,
    ...both,
  };
}
