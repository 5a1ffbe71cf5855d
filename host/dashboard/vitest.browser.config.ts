// The dashboard in a browser, against the real program: `DAVIT_BUILD_DIR=… npm run test:browser`.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["browser/**/*.test.ts"],
    // Nothing is timed here: these only end what hangs.
    testTimeout: 300_000,
    expect: { poll: { timeout: 90_000 } },
    hookTimeout: 240_000,
    fileParallelism: false,
  },
});
