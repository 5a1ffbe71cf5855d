// The pages of the dashboard as they are once `fill` has been at work, each with a text that is there when the page is.
import type { Data } from "./host";

export const everyPage = (data: Data): [name: string, path: string, text: string][] => [
  ["overview", "/", "As a table"], // of the chart, which comes last
  ["tasks", "/tasks", "Moving ten thousand rows takes long"],
  ["task-done", `/tasks/${data.done}`, "52,000"],
  ["task-failed", `/tasks/${data.failed}`, "It failed"],
  ["task-running", `/tasks/${data.running}`, "this will take a while"],
  ["task-waiting", `/tasks/${data.waiting}`, "A person decides"],
  ["task-hostile", `/tasks/${data.hostile}`, "is only text"],
  ["approvals", "/approvals", "so far"],
  ["approvals-none-decided", "/approvals?show=decided", "Nothing was decided yet"],
  ["agents", "/agents", "Command Agent"],
  ["costs", "/costs", "Cache read"],
  ["plugins", "/plugins", "It is not an ELF file"],
  ["deliveries", "/deliveries", "pong"],
  ["delivery", `/deliveries/${data.delivery}`, "Timing of the hooks"],
  ["audit", "/audit", "sign in"],
  ["missing", "/nowhere", "There is no such page"],
];
