// Makes src/api/openapi.ts from the description of the API (`npm run api`). With --check it only says whether that is what stands there.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import ts from "typescript";

const source = join(import.meta.dirname, "../http/openapi.json");
const target = join(import.meta.dirname, "src/api/openapi.ts");

// A type that refers to itself by its place in an interface is none that TypeScript takes.
const anyJson = "type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };\n";

const tree = await openapiTS(JSON.parse(readFileSync(source, "utf8")), {
  rootTypes: true,
  rootTypesNoSchemaPrefix: true,
  inject: anyJson,
  transform: (_, { path }) => (path?.endsWith("/schemas/Json") ? ts.factory.createTypeReferenceNode("JsonValue") : undefined),
});
const text = COMMENT_HEADER + astToString(tree);

if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else if (readFileSync(target, "utf8") !== text) {
  process.stderr.write("src/api/openapi.ts is not what host/http/openapi.json says: run `npm run api` in host/dashboard\n");
  process.exitCode = 1;
}
