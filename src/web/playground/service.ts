import type { Backend } from "../../index.ts";
import type { PlaygroundApi } from "./contract.ts";

/** Answers the Playground, on the worker's backend. */
export function createPlaygroundService(_getBackend: () => Promise<Backend>): PlaygroundApi {
  return { stop() {} };
}
