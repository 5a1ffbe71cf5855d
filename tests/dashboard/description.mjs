// The description of the API is OpenAPI 3.1 as the specification has it, and has nothing that tools stumble over: every recommended rule of
// the linter holds, as an error, but for two that ask for what is not there to be told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const { createConfig, lintFromString } = createRequire(join(root, "host/dashboard/package.json"))("@redocly/openapi-core");
const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    "info-license": "off", // the project names none
    "operation-4xx-response": "off", // probes of health refuse nobody; what all refuse is their `default`
  },
});

async function problemsOf(document) {
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: join(root, "host/http/openapi.json"), config });
  return problems.map(({ ruleId, message, location }) => `${ruleId} at ${location.map(({ pointer }) => pointer).join(", ")}: ${message}`);
}

const text = readFileSync(join(root, "host/http/openapi.json"), "utf8");
const { openapi } = JSON.parse(text);
assert.match(openapi, /^3\.1\./);
assert.deepEqual(await problemsOf(JSON.parse(text)), []);

// Each of these would be seen.
const mistakes = {
  struct: (api) => delete api.paths["/api/tasks"].post.responses["201"].description,
  "no-unresolved-refs": (api) => (api.paths["/api/tasks"].post.responses["400"].$ref += "s"),
  "operation-operationId-unique": (api) => (api.paths["/api/tasks"].post.operationId = "listTasks"),
  "path-parameters-defined": (api) => delete api.paths["/api/dashboard/tasks/{id}"].get.parameters,
  "security-defined": (api) => delete api.components.securitySchemes,
};
for (const [rule, make] of Object.entries(mistakes)) {
  const api = JSON.parse(text);
  make(api);
  const found = await problemsOf(api);
  assert.ok(
    found.some((problem) => problem.startsWith(rule)),
    `${rule} is not found in ${JSON.stringify(found)}`,
  );
}
const unknown = JSON.parse(text);
unknown.paths["/api/tasks"].post.answers = {};
unknown.components.schemas.Problem.propertys = {};
assert.equal((await problemsOf(unknown)).length, 2, "members that OpenAPI does not know");
