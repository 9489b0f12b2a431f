import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defineGraph, matmul, parameter, type Backend } from "../../src/index.ts";
import { debugs } from "../../src/node/debug.ts";
import { createNodeBackend, type DeviceChoice } from "../../src/node/index.ts";

const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, "error").mockImplementation((text: string) => void printed.push(text));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test.each([
  ["wgrad:graph", ["graph"]],
  ["wgrad:graph,plan,wgsl", ["graph", "plan", "wgsl"]],
  ["vite:hmr, wgrad:plan ,wgrad:error", ["plan", "error"]],
  ["wgrad:*", ["graph", "plan", "wgsl", "error"]],
  ["wgrad:plan,vite:graph,wgsl", ["plan"]],
  ["*", []],
  ["graph", []],
  ["", []],
] as const)("DEBUG=%j asks for %j", (value, topics) => {
  vi.stubEnv("DEBUG", value);
  expect((["graph", "plan", "wgsl", "error"] as const).filter(debugs)).toEqual(topics);
});

/** Compiles a product twice on a new backend. */
async function compileTwice(device: DeviceChoice): Promise<void> {
  let backend: Backend | undefined;
  try {
    backend = await createNodeBackend({ device });
    const graph = defineGraph({ product: matmul(parameter("a", [8, 8]), parameter("b", [8, 8])) });
    const session = backend.createSession();
    await session.compile(graph);
    await session.compile(graph);
  } finally {
    backend?.dispose();
  }
}

test("a backend for Node prints the graphs and the WGSL that DEBUG asks for, each kernel once", async () => {
  vi.stubEnv("DEBUG", "wgrad:graph,wgsl");
  await compileTwice("webgpu");
  expect(
    printed.filter((text) => text.startsWith("graph of 3 nodes\n  %0 = parameter a float32[8, 8]\n")),
  ).toHaveLength(2);
  expect(printed.filter((text) => /^\/\/ kernel matmul\n[^]*@compute[^]*\n$/.test(text))).toHaveLength(1);
  expect(printed).toHaveLength(3);
});

test("the CPU backend prints graphs; without DEBUG nothing is printed", async () => {
  vi.stubEnv("DEBUG", "wgrad:*");
  await compileTwice("cpu");
  expect(printed).toHaveLength(2);
  vi.stubEnv("DEBUG", "");
  await compileTwice("cpu");
  await compileTwice("webgpu");
  expect(printed).toHaveLength(2);
});
