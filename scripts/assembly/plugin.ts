/*
 * Lets the source import the address of the compiled kernels, `assembly/kernels.wasm?url`, a file that no repository
 * holds: the library's build ships it as dist/kernels.wasm, a page's build as an asset, and a test reads it where the
 * compiler has left it.
 */
import { readFileSync } from "node:fs";
import { dirname, relative } from "node:path/posix";
import { pathToFileURL } from "node:url";
import type { Plugin } from "vite";
import { compileAssembly, KERNELS } from "./compile.ts";

const IMPORTED = /\/assembly\/kernels\.wasm\?url$/;
const ID = "\0wgrad-kernels";

/** Where a development server hands out the kernels. */
const SERVED = "/@wgrad/kernels.wasm";

/** For the library, Vite would write an address below the root of a server. */
function renderBuiltUrl(fileName: string, { hostId }: { hostId: string }) {
  const path = relative(dirname(hostId), fileName);
  return { runtime: `new URL(${JSON.stringify(path)}, import.meta.url).href` };
}

export function assemblyPlugin(): Plugin {
  let builds = false;
  let library = false;
  return {
    name: "wgrad-assembly",
    enforce: "pre",
    config: ({ build }) =>
      build?.ssr ? { build: { ssrEmitAssets: true }, experimental: { renderBuiltUrl } } : undefined,
    configResolved({ command, build }) {
      builds = command === "build";
      library = Boolean(build.ssr);
    },
    configureServer({ middlewares }) {
      middlewares.use(SERVED, (_request, response, next) => {
        compileAssembly(KERNELS).then((file) => {
          response.setHeader("content-type", "application/wasm");
          response.end(readFileSync(file));
        }, next);
      });
    },
    resolveId: (source) => (IMPORTED.test(source) ? ID : undefined),
    async load(id, options) {
      if (id !== ID) return undefined;
      const file = await compileAssembly(KERNELS);
      if (!builds) return `export default ${JSON.stringify(options?.ssr ? pathToFileURL(file).href : SERVED)};`;
      const source = readFileSync(file);
      const reference = this.emitFile(
        library ? { type: "asset", fileName: "kernels.wasm", source } : { type: "asset", name: "kernels.wasm", source },
      );
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}
