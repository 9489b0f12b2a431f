/*
 * Lets the source import the addresses of the compiled kernels, `assembly/kernels.wasm?url` and, with relaxed SIMD,
 * `assembly/kernels-relaxed.wasm?url`, files that no repository holds: the library's build ships them in dist, a page's
 * build as assets, and a test reads them where the compiler has left them.
 */
import { readFileSync } from "node:fs";
import { dirname, relative } from "node:path/posix";
import { pathToFileURL } from "node:url";
import type { Plugin } from "vite";
import { compileAssembly, KERNELS } from "./compile.ts";

const IMPORTED = /\/assembly\/(kernels(?:-relaxed)?\.wasm)\?url$/;
const ID = /^\0wgrad-(kernels(?:-relaxed)?\.wasm)$/;

/** Where a development server hands out the kernels. */
const SERVED = "/@wgrad/";

const compiled = (name: string) => compileAssembly(KERNELS, { relaxedSimd: name === "kernels-relaxed.wasm" });

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
      for (const name of ["kernels.wasm", "kernels-relaxed.wasm"]) {
        middlewares.use(`${SERVED}${name}`, (_request, response, next) => {
          compiled(name).then((file) => {
            response.setHeader("content-type", "application/wasm");
            response.end(readFileSync(file));
          }, next);
        });
      }
    },
    resolveId(source) {
      const name = IMPORTED.exec(source)?.[1];
      return name && `\0wgrad-${name}`;
    },
    async load(id, options) {
      const name = ID.exec(id)?.[1];
      if (!name) return undefined;
      const file = await compiled(name);
      if (!builds) return `export default ${JSON.stringify(options?.ssr ? pathToFileURL(file).href : SERVED + name)};`;
      const source = readFileSync(file);
      const reference = this.emitFile(
        library ? { type: "asset", fileName: name, source } : { type: "asset", name, source },
      );
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}
