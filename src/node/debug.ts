import type { BackendOptions } from "../backends/choose.ts";
import { describeGraph } from "../graph/describe.ts";

/**
 * The topics of DEBUG after `wgrad:`: each compiled graph, the dispatches of a training step, the WGSL of each kernel, and
 * the stack trace of an error.
 */
export type DebugTopic = "graph" | "plan" | "wgsl" | "error";

/**
 * Whether the environment variable DEBUG contains a topic, or `wgrad:*`. Topics may share a prefix: `wgrad:graph,plan`
 * means `wgrad:graph,wgrad:plan`.
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

/** The backend options that print what DEBUG asks for to standard error. */
export function debugOptions(): Pick<BackendOptions, "onGraph" | "onKernel"> {
  return {
    onGraph: debugs("graph") ? (graph) => console.error(describeGraph(graph).join("\n")) : undefined,
    onKernel: debugs("wgsl") ? (name, code) => console.error(`// kernel ${name}\n${code.trimEnd()}\n`) : undefined,
  };
}
