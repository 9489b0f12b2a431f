/*
 * The WGSL of a dispatch that runs several kernels, one after another, in one workgroup.
 */
import { integerLiteral } from "../../../ops/webgpu/wgsl.ts";

/** A declaration at the top level of a kernel, which is not indented, with the name that it declares. */
const DECLARATION = /^(?:(?:fn|const|alias|struct)\s+|var<(?:private|workgroup)>\s+)([A-Za-z_]\w*)/gm;

/** A name that is not a member of a value. */
const NAME = /(?<![\w.])[A-Za-z_]\w*/g;

const ENTRY_POINT = /@compute @workgroup_size\(GROUP_THREADS\)\s+fn main\(([^{]*)\) \{/;

const PARAMETER = /@builtin\((\w+)\) (\w+: [\w<>]+)/g;

/** What the built-in values of WGSL are in a dispatch of one workgroup, whose threads lie along x. */
const BUILT_IN: Readonly<Record<string, string>> = {
  workgroup_id: "group",
  local_invocation_index: "thread",
  global_invocation_id: "vec3(thread, 0u, 0u)",
};

/** The WGSL of a kernel as functions with names of its own, and the call that runs it. */
export function kernelFunctions(text: string, position: number): { readonly text: string; readonly call: string } {
  const parameters = [...ENTRY_POINT.exec(text)![1]!.matchAll(PARAMETER)];
  const declared = new Set([...text.matchAll(DECLARATION)].map(([, name]) => name!));
  const prefix = `kernel_${position}_`;
  const header = `fn main(${parameters.map(([, , parameter]) => parameter).join(", ")}) {`;
  return {
    text: text.replace(ENTRY_POINT, header).replaceAll(NAME, (name) => (declared.has(name) ? prefix + name : name)),
    call: `${prefix}main(${parameters.map(([, builtIn]) => BUILT_IN[builtIn!]).join(", ")});`,
  };
}

/** The entry point. A barrier makes what a kernel has written visible to the next one. */
export function entryPoint(calls: readonly string[], threads: number): string {
  const lines = calls.join("\n    storageBarrier();\n    ");
  return [
    `@compute @workgroup_size(${integerLiteral(threads)})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {",
    `    ${lines}`,
    "}",
  ].join("\n");
}
