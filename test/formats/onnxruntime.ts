import * as runtime from "onnxruntime-web";

// WebAssembly threads need a worker script, which tests do not have.
runtime.env.wasm.numThreads = 1;

/**
 * Runs an ONNX model in onnxruntime.
 * @returns the outputs by name, and the names of the inputs
 */
export async function runOnnx(
  model: Uint8Array,
  features: Float32Array | Uint8Array,
  shape: readonly number[],
): Promise<{ inputs: readonly string[]; outputs: Record<string, { shape: readonly number[]; values: Float32Array }> }> {
  const session = await runtime.InferenceSession.create(model);
  try {
    const tensor = new runtime.Tensor("float32", Float32Array.from(features), shape);
    const results = await session.run({ features: tensor });
    const outputs = Object.entries(results).map(([name, { dims, data }]) => {
      return [name, { shape: dims, values: data as Float32Array }] as const;
    });
    return { inputs: session.inputNames, outputs: Object.fromEntries(outputs) };
  } finally {
    await session.release();
  }
}

/** The largest difference between corresponding values. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values and ${b.length}`);
  // Not Math.max(…differences), which would hide a NaN.
  return Array.from(a).reduce((largest, value, index) => {
    const difference = Object.is(value, b[index]) ? 0 : Math.abs(value - b[index]!);
    return difference <= largest ? largest : difference;
  }, 0);
}
