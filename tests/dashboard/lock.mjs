// The lock files hold for any registry, and name all that they need: npm would install without complaint what it could
// get, and then fail on another machine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
for (const file of ["host/dashboard/package-lock.json", "scripts/node/package-lock.json"]) {
  const text = readFileSync(join(root, file), "utf8");
  assert.doesNotMatch(text, /"resolved"/, `${file} names addresses: keep .npmrc beside it`);
  const { packages } = JSON.parse(text);
  const names = Object.keys(packages);
  assert.ok(names.length > 1, `${file} has no packages`);
  for (const [path, entry] of Object.entries(packages)) {
    if (path !== "") assert.ok(entry.integrity || entry.link || entry.inBundle, `${file}: ${path} has no integrity`);
    for (const wanted of Object.keys(entry.optionalDependencies ?? {})) {
      assert.ok(
        names.some((name) => name.endsWith(`node_modules/${wanted}`)),
        `${file}: ${wanted}, optional for ${path || "the project"}, is missing; take a release whose packages are all there`,
      );
    }
  }
}
