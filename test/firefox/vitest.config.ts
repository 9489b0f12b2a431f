import { defineConfig } from "vitest/config";

/** Configures `npm run test:firefox`: the parity tests on Firefox's implementation of WebGPU. */
export default defineConfig({
  test: {
    include: ["test/firefox/**/*.firefox.ts"],
    // One process, because Firefox and its driver use all cores.
    pool: "forks",
    fileParallelism: false,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
  },
});
