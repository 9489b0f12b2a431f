import { setImmediate as immediately, setTimeout as later } from "node:timers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DawnPolling } from "../../src/node/dawn-polling.ts";

vi.mock("node:timers", () => ({ setImmediate: vi.fn<typeof immediately>(), setTimeout: vi.fn<typeof later>() }));

const usual = globalThis.setImmediate;
let now = 0;

beforeEach(() => {
  now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.resetAllMocks();
});

/** As Dawn's binding does: it polls until it is told that the work is done. */
class Dawn {
  isDone = false;

  mapAsync(size: number): string {
    globalThis.setImmediate(() => this.#poll());
    return `maps ${size}`;
  }

  #poll() {
    if (!this.isDone) globalThis.setImmediate(() => this.#poll());
  }
}

/** The delays with which polls were scheduled since the last call; 0 for an immediate one. Runs the last poll. */
function pollAt(milliseconds: number): unknown[] {
  const calls = [
    ...vi.mocked(immediately).mock.calls.map(([poll]) => ({ poll, delay: 0 })),
    ...vi.mocked(later).mock.calls.map(([poll, delay]) => ({ poll, delay })),
  ];
  vi.mocked(immediately).mockClear();
  vi.mocked(later).mockClear();
  now = milliseconds;
  calls.at(-1)?.poll();
  expect(globalThis.setImmediate).toBe(usual);
  return calls.map(({ delay }) => delay);
}

test("Dawn polls without pauses for 5 ms, then every millisecond until the work is done", () => {
  const polling = new DawnPolling();
  const buffer = new Dawn();
  const mapAsync = polling.wrap(Dawn.prototype.mapAsync);
  expect(mapAsync.call(buffer, 8)).toBe("maps 8");
  expect(globalThis.setImmediate).toBe(usual);
  expect(pollAt(4.9)).toEqual([0]);
  expect(pollAt(5)).toEqual([0]);
  expect(pollAt(6)).toEqual([1]);
  expect(pollAt(7)).toEqual([1]);

  // Another read begins while the first is pending.
  now = 50;
  mapAsync.call(buffer, 16);
  buffer.isDone = true;
  expect(pollAt(51)).toEqual([0, 1]);
  expect(pollAt(52)).toEqual([]);
});

test("what Dawn throws leaves the usual setImmediate", () => {
  const polling = new DawnPolling();
  const fails = polling.wrap(() => {
    throw new Error("the device is lost");
  });
  expect(fails).toThrow("the device is lost");
  expect(globalThis.setImmediate).toBe(usual);
});

test("the methods that make Dawn poll are wrapped", async () => {
  const { globals } = await import("webgpu");
  const classes = globals as unknown as Record<string, { prototype: Record<string, unknown> }>;
  const methods = () => [
    classes.GPUBuffer!.prototype.mapAsync,
    classes.GPUDevice!.prototype.popErrorScope,
    classes.GPUDevice!.prototype.createComputePipelineAsync,
    classes.GPUQueue!.prototype.onSubmittedWorkDone,
  ];
  const native = methods();
  await import("../../src/node/dawn.ts");
  methods().forEach((method, index) => expect(method).not.toBe(native[index]));
});
