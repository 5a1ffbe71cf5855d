// The pages with their addresses. What a page shows is told by its address alone: filters stand behind the "?".
// The server knows the same addresses (host/http/dashboard_files.cpp).
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { queryText } from "./api/client";
import { auditOutcomes, costGroups, seriesBuckets, seriesMetrics, taskStatuses, verdicts } from "./api/schema";
import { OverviewPage } from "./features/overview/overview-page";
import { spans } from "./features/overview/queue-depth";
import { Broken } from "./features/shell/broken";
import { Missing } from "./features/shell/missing";
import { Shell } from "./features/shell/shell";
import { TaskPage } from "./features/task/task-page";
import { TasksPage } from "./features/tasks/tasks-page";
import { dayFrom, periodFrom } from "./lib/period";

type Search = Record<string, unknown>;

// A text of the address, if it is one that means anything.
function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 512) : undefined;
}

function oneOf<T extends string>(values: readonly T[], value: unknown): T | undefined {
  return values.find((each) => each === value);
}

// What a page takes from its address. The router lays it over what stands there, so what a page does not know is named too,
// as undefined: left out, it would keep its value.
function known<T extends object>(search: Search, values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const none = Object.fromEntries(Object.keys(search).map((name) => [name, undefined]));
  return { ...none, ...values } as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const root = createRootRoute({ component: Shell, notFoundComponent: Missing });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: OverviewPage,
  validateSearch: (search: Search) =>
    known(search, {
      metric: oneOf(seriesMetrics, search["metric"]),
      bucket: oneOf(seriesBuckets, search["bucket"]),
      queue: oneOf(spans, search["queue"]),
    }),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  component: TasksPage,
  validateSearch: (search: Search) =>
    known(search, {
      q: text(search["q"]),
      status: oneOf(taskStatuses, search["status"]),
      agent: text(search["agent"]),
      source: text(search["source"]),
      entity: text(search["entity"]),
      period: periodFrom(search["period"]),
      from: dayFrom(search["from"]),
      to: dayFrom(search["to"]),
    }),
});

const task = createRoute({ getParentRoute: () => root, path: "/tasks/$id", component: TaskPage });

const approvals = createRoute({
  getParentRoute: () => root,
  path: "/approvals",
  component: lazyRouteComponent(() => import("./features/approvals/approvals-page"), "ApprovalsPage"),
  validateSearch: (search: Search) =>
    known(search, { show: oneOf(["decided"] as const, search["show"]), agent: text(search["agent"]) }),
});

const agents = createRoute({
  getParentRoute: () => root,
  path: "/agents",
  component: lazyRouteComponent(() => import("./features/agents/agents-page"), "AgentsPage"),
});

const costs = createRoute({
  getParentRoute: () => root,
  path: "/costs",
  component: lazyRouteComponent(() => import("./features/costs/costs-page"), "CostsPage"),
  validateSearch: (search: Search) =>
    known(search, {
      by: oneOf(costGroups, search["by"]),
      agent: text(search["agent"]),
      period: periodFrom(search["period"]),
    }),
});

const plugins = createRoute({
  getParentRoute: () => root,
  path: "/plugins",
  component: lazyRouteComponent(() => import("./features/plugins/plugins-page"), "PluginsPage"),
});

const deliveries = createRoute({
  getParentRoute: () => root,
  path: "/deliveries",
  component: lazyRouteComponent(() => import("./features/deliveries/deliveries-page"), "DeliveriesPage"),
  validateSearch: (search: Search) =>
    known(search, { webhook: text(search["webhook"]), verdict: oneOf(verdicts, search["verdict"]) }),
});

const delivery = createRoute({
  getParentRoute: () => root,
  path: "/deliveries/$id",
  component: lazyRouteComponent(() => import("./features/deliveries/delivery-page"), "DeliveryPage"),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  component: lazyRouteComponent(() => import("./features/audit/audit-page"), "AuditPage"),
  validateSearch: (search: Search) =>
    known(search, {
      actor: text(search["actor"]),
      operation: text(search["operation"]),
      outcome: oneOf(auditOutcomes, search["outcome"]),
      object: text(search["object"]),
      period: periodFrom(search["period"]),
    }),
});

export function makeRouter() {
  return createRouter({
    routeTree: root.addChildren([overview, tasks, task, approvals, agents, costs, plugins, deliveries, delivery, audit]),
    defaultErrorComponent: Broken,
    // Plain names and values, as people type them and other programs make them.
    parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
    stringifySearch: (search) => queryText(search as Record<string, string | undefined>),
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
