import type { BackendOptions } from "../backends/choose.ts";
import { describeGraph } from "../graph/describe.ts";

/**
 * What DEBUG may name after `wgrad:`: each graph that is compiled, a training step's list of dispatches, each kernel's
 * WGSL, and the stack trace of an error.
 */
export type DebugTopic = "graph" | "plan" | "wgsl" | "error";

/**
 * Whether the environment's DEBUG has a topic, or `wgrad:*`. Topics may share one prefix: `wgrad:graph,plan` is
 * `wgrad:graph,wgrad:plan`.
 */
export function debugs(topic: DebugTopic): boolean {
  let prefix = "";
  for (const name of (process.env["DEBUG"] ?? "").split(",").map((text) => text.trim())) {
    const colon = name.indexOf(":");
    if (colon >= 0) prefix = name.slice(0, colon);
    const rest = name.slice(colon + 1);
    if (prefix === "wgrad" && (rest === topic || rest === "*")) return true;
  }
  return false;
}

/** What DEBUG asks a backend to show, on standard error. */
export function debugOptions(): Pick<BackendOptions, "onGraph" | "onKernel"> {
  return {
    onGraph: debugs("graph") ? (graph) => console.error(describeGraph(graph).join("\n")) : undefined,
    onKernel: debugs("wgsl") ? (name, code) => console.error(`// kernel ${name}\n${code.trimEnd()}\n`) : undefined,
  };
}
