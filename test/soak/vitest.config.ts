import { defineConfig } from "vitest/config";

/** Configures `npm run test:soak`: tests that take minutes. */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.soak.ts"],
    globalSetup: "test/builds-folder.ts",
    // One process per file, and one file at a time, because the tests measure memory and time.
    pool: "forks",
    fileParallelism: false,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
    // Print their output, which is their result.
    disableConsoleIntercept: true,
    reporters: ["verbose"],
  },
});
