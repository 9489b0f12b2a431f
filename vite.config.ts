import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const entry = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  build: {
    target: "es2023",
    minify: false,
    // An SSR build leaves Node's modules and the packages of node_modules as imports; the library entry
    // uses neither, so the same build serves the browser.
    ssr: true,
    rolldownOptions: {
      input: {
        index: entry("src/index.ts"),
        node: entry("src/node/index.ts"),
        cli: entry("src/node/cli/main.ts"),
      },
      output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    // One process a file: Dawn is a native addon, and a device lost in one file must not reach another.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
