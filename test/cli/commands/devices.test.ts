import { beforeAll, describe, expect, test } from "vitest";
import {
  commandLine,
  expectRefusal,
  quick,
  quickWith,
  resultOf,
  type Finished,
  type RunOptions,
} from "../built-cli.ts";

const cli = commandLine({ mnist: true });
const { eventsIn } = cli;
const wgrad = (args: readonly string[], options?: Omit<RunOptions, "cwd">): Promise<Finished> => cli.run(args, options);

describe("devices", () => {
  test("training and evaluation on WebGPU give the same metrics", async () => {
    const gpu = quickWith("--device", "webgpu");
    const trained = await wgrad(["train", ...gpu, "--epochs", "10", "--out", "gpu.safetensors", "--log", "gpu.jsonl"]);
    expect(trained.code).toBe(0);
    expect(trained.stdout).toMatch(/^adapter {3}(?!none)/m);
    expect(eventsIn("gpu.jsonl").at(-1)).toMatchObject({ backend: "webgpu", steps: 100 });
    const evaluated = await wgrad(["evaluate", "gpu.safetensors", "--data", "data", "--device", "webgpu"]);
    expect(resultOf(evaluated)).toBeDefined();
    expect(resultOf(evaluated)).toBe(resultOf(trained));
  });

  test("`wgrad devices` lists the adapter's features and limits, WebAssembly and the CPU", async () => {
    const { code, stdout } = await wgrad(["devices"]);
    for (const name of ["adapter", "kind", "vendor", "architecture", "driver", "features"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, "m"));
    }
    expect(stdout).toMatch(/^ {4}maxStorageBufferBindingSize +\d+$/m);
    expect(stdout).toMatch(/WebAssembly.*\n +threads +\d+, with SIMD\n/);
    expect(stdout).toMatch(/CPU.*\n.*always available/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });

  describe("if Dawn's native module does not load", () => {
    const env: Record<string, string> = {};

    beforeAll(() => {
      const hook = `export async function resolve(name, context, next) {
        if (name === "webgpu") throw new Error("libc.so.6: version GLIBC_2.34 not found\\nmore");
        return next(name, context);
      }`;
      const registering = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook)}");`;
      env["NODE_OPTIONS"] = `--import=data:text/javascript,${encodeURIComponent(registering)}`;
    });

    test("--device webgpu fails with the reason", async () => {
      const refused = await wgrad(["train", ...quickWith("--device", "webgpu")], { env });
      expectRefusal(refused, 1, /^error: WebGPU: the native module .* GLIBC_2\.34 not found\. .*npm ci/m);
    });

    test("--device auto trains with WebAssembly, and one line says why and how to get a GPU", async () => {
      const { code, stdout, stderr } = await wgrad(
        ["train", "--on-nan", "ignore", ...quickWith("--device", "auto", "--epochs", "1")],
        { env },
      );
      expect(stderr).toMatch(/^No GPU \(.*GLIBC_2\.34 not found\).* CPU.*`npm ci`.*\n$/);
      expect(stdout).toMatch(/^adapter   none: WebAssembly, \d+ threads?$/m);
      expect(code).toBe(0);
    });

    test("--device cpu does not load it, and `wgrad devices` says what is missing", async () => {
      expect(await wgrad(["train", ...quick, "--epochs", "1"], { env })).toMatchObject({ code: 0, stderr: "" });
      const { code, stdout } = await wgrad(["devices"], { env });
      expect(stdout).toMatch(/adapter +none: the native module/);
      expect(code).toBe(0);
    });
  });
});

describe("wgrad plan", () => {
  test("prints the dispatches and the memory with --json", async () => {
    const { code, stdout } = await wgrad(["plan", "--json", "--batch", "32", "--hidden", "16"]);
    const plan = JSON.parse(stdout) as { dispatches: Record<string, unknown>[]; stepBytes: number };
    expect(Object.keys(plan)).toEqual(["dispatches", "stepBytes"]);
    // At least the gradient: 784 · 16 + 16 + 16 · 10 + 10 values.
    expect(plan.stepBytes).toBeGreaterThan(4 * 12_730);
    // Seven kernels, of which the small ones share a dispatch on GPUs.
    expect(plan.dispatches.length).toBeGreaterThan(2);
    for (const dispatch of plan.dispatches) {
      expect(dispatch).toEqual({
        kernel: expect.any(String),
        shapes: expect.stringContaining("→"),
        grid: [expect.any(Number), expect.any(Number), expect.any(Number)],
        flops: expect.any(Number),
        bytes: expect.any(Number),
      });
    }
    expect(JSON.stringify(plan)).toContain("[32, 784]");
    expect(code).toBe(0);
  });

  test("prints a table of 80 columns", async () => {
    const { code, stdout } = await wgrad(["plan", "--device", "cpu", "--hidden", "128,64", "--optimizer", "sgd"]);
    expect(stdout).toContain("network   784-128-64-10 relu, 109,386 parameters");
    expect(stdout).toMatch(/^layers\.2 {2}dense {4}\[64\] {9}8,256 {3}16,512$/m);
    expect(stdout).toMatch(/^4 layers +109,386 +218,762$/m);
    expect(stdout).toMatch(/^kernel +shapes +grid +FLOPs +bytes$/m);
    expect(stdout).toMatch(/^matmul +\[64, 784\] \[784, 128\] → +\d+×\d+×\d+ +[\d.]+ k +[\d.]+ k$/m);
    expect(stdout).toMatch(/^\d+ dispatches/m);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });
});
