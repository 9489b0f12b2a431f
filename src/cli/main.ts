#!/usr/bin/env node
/*
 * The command `wgrad`. From Node 22.1 on, the code that Node compiled in an earlier run is read from its cache in the folder for temporary
 * files; NODE_DISABLE_COMPILE_CACHE=1 switches that off. So no other module may be imported before.
 */
import module from "node:module";

(module as { enableCompileCache?(): void }).enableCompileCache?.();
const { runCommandLine } = await import("./command-line.ts");
await runCommandLine();
