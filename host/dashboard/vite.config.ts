import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react({ jsxImportSource: "#jsx" }), tailwindcss()],
  build: {
    // Every file has a name of its own content, and no file is written into another: the policy allows no data: script.
    assetsInlineLimit: 0,
    target: "es2023",
    modulePreload: { polyfill: false },
  },
  // `npm run dev` beside a host on its usual port.
  server: { proxy: { "/api": process.env["DAVIT_URL"] ?? "http://127.0.0.1:8080" } },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/jsdom.ts"],
    testTimeout: 60_000,
    // One process for all files: starting them took longer than the tests.
    maxWorkers: 1,
    isolate: false,
    env: { TZ: "Europe/Berlin" },
  },
});
