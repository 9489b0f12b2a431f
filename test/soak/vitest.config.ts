import { defineConfig } from "vitest/config";

/** The tests that take minutes: `npm run test:soak`. */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.soak.ts"],
    // One process a file, and one file at a time: what they measure is memory and time.
    pool: "forks",
    fileParallelism: false,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
    // Their output is their result.
    disableConsoleIntercept: true,
    reporters: ["verbose"],
  },
});
