// Makes a C++ file of the folder that Vite built: pack.mjs DIST OUT.cpp
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

const [dist, out] = process.argv.slice(2);
if (!dist || !out) throw new Error("usage: pack.mjs DIST OUT.cpp");

// Three octal digits each, so that no digit behind one is taken for part of it; lines stay readable for a compiler.
function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 1024) {
    let line = "";
    for (const byte of bytes.subarray(at, at + 1024)) {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
      line += plain ? String.fromCharCode(byte) : "\\" + byte.toString(8).padStart(3, "0");
    }
    lines.push(`    "${line}"`);
  }
  return lines.length > 0 ? lines.join("\n") : '    ""';
}

const names = ["index.html", ...readdirSync(join(dist, "assets")).sort().map((name) => "assets/" + name)];
const entries = names.map((name) => {
  const type = types[extname(name)];
  if (!type) throw new Error(`${name}: no content type is known for it; add one here`);
  const plain = readFileSync(join(dist, name));
  const packed = gzipSync(plain, { level: 9 });
  const gzip = packed.length < plain.length ? packed : Buffer.alloc(0);
  const hash = createHash("sha256").update(plain).digest("hex").slice(0, 32);
  return (
    `  {"${name}", "${type}", "${hash}",\n` +
    `   std::string_view(\n${literal(plain)},\n    ${plain.length}),\n` +
    `   std::string_view(\n${literal(gzip)},\n    ${gzip.length})},\n`
  );
});

writeFileSync(
  out,
  `// Written by host/dashboard/pack.mjs.
#include "host/dashboard/built_dashboard.h"

namespace davit::dashboard {
namespace {

constexpr http::DashboardFile kFiles[] = {
${entries.join("")}};

}  // namespace

std::span<const http::DashboardFile> built_dashboard() { return kFiles; }

}  // namespace davit::dashboard
`,
);
