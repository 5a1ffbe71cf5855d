// The real program on a folder of its own, for tests that use the dashboard as people do.
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { BrowserContext } from "playwright-core";
import type { Json, TaskDetail } from "../src/api/schema";

type Cookie = Parameters<BrowserContext["addCookies"]>[0][number];

const build = process.env["DAVIT_BUILD_DIR"];
if (!build) throw new Error("DAVIT_BUILD_DIR must name davit's build folder");
const root = join(import.meta.dirname, "../../..");

const secret = "a-secret-for-tests-0123456789";
const readerToken = "a-reader-token-for-tests-01234";

const signature = (body: string, signedWith: string): string =>
  createHmac("sha256", signedWith).update(body).digest("hex");

// What the agent of the tests does is said by the title of the issue that its task comes from.
// A plan, each time another one, with what must come to nothing on a page. As JSON without its quotes.
const plan = JSON.stringify(
  [
    "# Rename the settings page",
    "Moves **settings.tsx**, see [the guide](https://docs.example/settings).",
    "```\nmake check && ./scripts/rename --from settings --to preferences --keep-links --report ./build/rename/report.json\n```",
    "1. Read the router\n   - Files: `routes.tsx`\n2. Change it, draft DRAFT\n3. Test",
    "| file | why |\n|---|---|\n| routes.tsx | it names the page |",
    "<script>window.broken=1</script> <img src=x onerror=window.broken=1> [bad](javascript:window.broken=1)",
  ].join("\n\n"),
).slice(1, -1);

const agentProgram = String.raw`
task=$(cat)
echo "reading the task" >&2
plan=null
case $task in
  *"takes long"*) echo "this will take a while" >&2; sleep 600 ;;
  *"keeps talking"*) until [ -e SPEAK ]; do sleep 0.05; done; for word in $(seq 60); do echo "word $word" >&2; sleep 0.05; done ;;
  *"says a great deal until "*)
    file=$(printf '%s' "$task" | sed 's/.*says a great deal until \([^ "]*\).*/\1/')
    for line in $(seq 2400); do echo "item $line" >&2; done
    until [ -e "$file" ]; do sleep 0.1; done
    echo "the last item" >&2 ;;
  *"cannot work"*) echo "compiling" >&2; echo "error: 'frobnicate' was not declared in this scope" >&2; exit 1 ;;
  *"asks first"*) next=', "next_agent": "second", "next_input": {"mode": "noop"}'; plan=$(printf '%s' '"${plan}"' | sed "s/DRAFT/$(date +%s%N)/") ;;
  *) next= ;;
esac
printf 'The plan\n========\n1. read 2. change 3. test\n' > "$DAVIT_ARTIFACTS/plan.txt"
echo "<script>window.broken = 1</script> is only text" >&2
printf '{"davit_result": true, "output": {"summary": "<img src=x onerror=window.broken=1>", "files": ["a.cpp", "b.cpp"], "plan": %s}' "$plan"
printf ', "usage": {"model": "large", "input_tokens": 1200, "output_tokens": 340, "cache_read_tokens": 52000, "cache_write_tokens": 900, "cost_usd": 0.0725}%s}\n' "$next"
`;

// What a host is started with, beside what all have.
export interface Kit {
  // Those that it serves; github, unless others are said.
  webhooks?: ("github" | "sentry")[];
  // Libraries of the build folder that are not in the plugins folder, as others are.
  absent?: string[];
  // Further settings of `plugins`, as YAML within braces.
  plugins?: string;
}

const libraries = {
  github: "plugins/github.so",
  sentry: "plugins/sentry.so",
  command: "plugins/command_agent.so",
  scripted: "tests/plugins/scripted_agent.so",
};

const webhook = "secret_env: SECRET, isolation: inprocess, answer_within_ms: 10000, config: {agent: command-agent}";

const settings = (folder: string, kit: Kit): string => `
server: {host: 127.0.0.1, port: 0, threads: 2}
storage: {path: ${folder}/davit.db}
plugins: {directory: ${folder}/plugins, store: ${folder}/store, settle: 0${kit.plugins ? `, ${kit.plugins}` : ""}}
log: {level: info}
replies: {hosts: []}
budgets: {daily_usd: 2, session_usd: 0.2}
webhooks: {${(kit.webhooks ?? ["github"]).map((name) => `${name}: {${webhook}}`).join(", ")}}
agents:
  command-agent:
    concurrency: 2
    on_reject: rework
    max_retries: 0
    timeout_seconds: 900
    config: {input: payload, command: [/bin/sh, -c, ${JSON.stringify(agentProgram.replace("SPEAK", `${folder}/speak`))}]}
  worker: {max_retries: 0}
  second: {requires_approval: true}
  third: {}
`;

export class Host {
  folder = "";
  url = "";
  adminToken = "";
  readonly readerToken = readerToken;
  private child: ChildProcess | null = null;
  private readonly sessions = new Map<string, Promise<Cookie>>();

  constructor(private readonly kit: Kit = {}) {}

  async start(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), "davit-dashboard-"));
    mkdirSync(join(this.folder, "plugins"), { mode: 0o700 });
    const { webhooks = ["github"], absent = [] } = this.kit;
    for (const library of [...webhooks.map((name) => libraries[name]), libraries.command, libraries.scripted])
      if (!absent.includes(library)) this.drop(library);
    writeFileSync(join(this.folder, "davit.yaml"), settings(this.folder, this.kit));
    const child = spawn(
      join(build as string, "bin/davit"),
      ["serve", "--no-supervisor", `--config=${this.folder}/davit.yaml`, "--ready-fd=3"],
      {
        stdio: ["ignore", "ignore", "pipe", "pipe"],
        env: { PATH: process.env["PATH"] ?? "", SECRET: secret, DAVIT_READER_TOKEN: readerToken },
      },
    );
    this.child = child;
    const said: string[] = [];
    child.stderr?.on("data", (text: Buffer) => said.push(text.toString()));
    const first = await createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]().next();
    const ready = /^ready (\d+)$/.exec(String(first.value));
    if (!ready) throw new Error(`davit does not serve:\n${said.join("")}`);
    this.url = `http://127.0.0.1:${ready[1] ?? ""}`;
    this.adminToken = readFileSync(join(this.folder, "admin.token"), "utf8").trim();
  }

  // Puts a library of the build folder into the plugins folder, at once as a whole.
  drop(library: string, name = library.split("/").at(-1) as string): void {
    const beside = join(this.folder, name);
    copyFileSync(join(build as string, library), beside);
    renameSync(beside, join(this.folder, "plugins", name));
  }

  // Lets the agent say what it has to, if its task "keeps talking".
  speak(): void {
    writeFileSync(join(this.folder, "speak"), "");
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child?.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async api(method: string, path: string, body?: object): Promise<Json> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.adminToken}`, "Content-Type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Json;
  }

  // The cookie of a session for that token: one for all who come with it, so nobody signs out of it.
  session(token = this.adminToken): Promise<Cookie> {
    const known = this.sessions.get(token);
    if (known) return known;
    const made = this.newSession(token);
    this.sessions.set(token, made);
    return made;
  }

  private async newSession(token: string): Promise<Cookie> {
    const answer = await fetch(`${this.url}/api/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    const [name, value] = /^([^=]+)=([^;]+)/.exec(answer.headers.get("set-cookie") ?? "")?.slice(1) ?? [];
    if (!name || !value) throw new Error(`signing in was answered ${answer.status}`);
    return { name, value, url: this.url, httpOnly: true, sameSite: "Strict" };
  }

  // A delivery as GitHub sends and signs it: an issue that gets the label which starts work. The id of its task.
  async issue(number: number, title: string): Promise<string> {
    const recorded = JSON.parse(readFileSync(join(root, "examples/demo/1-issue-labeled.json"), "utf8")) as {
      issue: Record<string, Json>;
    };
    Object.assign(recorded.issue, { number, title });
    const body = JSON.stringify(recorded);
    const answer = await this.post("issues", body, secret);
    const said = (await answer.json()) as { task_id?: string };
    if (answer.status !== 202 || !said.task_id) throw new Error(`the delivery was answered ${answer.status}`);
    return said.task_id;
  }

  async post(event: string, body: string, signedWith: string): Promise<Response> {
    return this.send("github", body, {
      "X-GitHub-Event": event,
      "X-GitHub-Delivery": randomUUID(),
      "X-Hub-Signature-256": `sha256=${signature(body, signedWith)}`,
    });
  }

  // A new issue as Sentry sends and signs it.
  async sentryIssue(number: number, title: string): Promise<string> {
    const body = JSON.stringify({
      action: "created",
      installation: { uuid: randomUUID() },
      actor: { type: "application", id: "sentry", name: "Sentry" },
      data: { issue: { id: String(number), title, level: "error", project: { id: "1", slug: "shop", name: "Shop" } } },
    });
    const answer = await this.send("sentry", body, {
      "Sentry-Hook-Resource": "issue",
      "Sentry-Hook-Signature": signature(body, secret),
      "Request-ID": randomUUID().replaceAll("-", ""),
    });
    const said = (await answer.json()) as { task_id?: string };
    if (answer.status !== 202 || !said.task_id) throw new Error(`the delivery was answered ${answer.status}`);
    return said.task_id;
  }

  private async send(webhook: string, body: string, headers: Record<string, string>): Promise<Response> {
    return fetch(`${this.url}/webhooks/${webhook}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
    });
  }

  async task(id: string): Promise<TaskDetail> {
    return (await this.api("GET", `/api/dashboard/tasks/${id}`)) as unknown as TaskDetail;
  }

  // The task, once its status is the one.
  async taskOnce(id: string, status: string): Promise<TaskDetail> {
    let task: TaskDetail | undefined;
    for (const until = Date.now() + 90_000; Date.now() < until; ) {
      task = await this.task(id);
      if (task.status === status) return task;
      await new Promise((resolve) => setTimeout(resolve, 20)); // asks another process
    }
    throw new Error(`the task is ${task?.status ?? "unknown"}, not ${status}: ${task?.error ?? task?.title ?? ""}`);
  }
}

// A script where text is expected, in the ways it may come to life.
export const canary = `"><script>window.broken=1</script><img src=x onerror="window.broken=1">{{7*7}}`;

export interface Data {
  done: string;
  failed: string;
  running: string;
  waiting: string;
  hostile: string;
  delivery: string; // that the hostile one came from
}

// One task of each kind, made by signed deliveries; a plugin that is refused; a delivery with a bad signature.
export async function fill(host: Host): Promise<Data> {
  writeFileSync(join(host.folder, "plugins/broken.so"), "this is no library", { mode: 0o700 });
  const done = await host.issue(1, "The login page forgets where one wanted to go");
  const failed = await host.issue(2, "Exporting a large report cannot work without a disk");
  const hostile = await host.issue(3, canary);
  const first = await host.issue(4, "Rename the settings page, but asks first");
  await host.taskOnce(done, "completed");
  await host.taskOnce(failed, "failed");
  await host.taskOnce(hostile, "completed");
  const chained = await host.taskOnce(first, "completed");
  const next = chained.chain.find((link) => link.parent_id === first);
  if (!next) throw new Error("the chain has no second task");
  await host.taskOnce(next.task_id, "awaiting_approval");
  const running = await host.issue(5, "Moving ten thousand rows takes long");
  await host.taskOnce(running, "running");
  await host.post("issues", "{}", "not the secret");
  await host.post("ping", JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1 }), secret);
  const { delivery_id } = await host.task(hostile);
  return { done, failed, running, waiting: next.task_id, hostile, delivery: delivery_id ?? "" };
}
