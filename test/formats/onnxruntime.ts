import * as runtime from "onnxruntime-web";

// WebAssembly threads need a worker script, which tests do not have.
runtime.env.wasm.numThreads = 1;

/** A value with a shape; whole numbers in an array of uint32 are int64 in ONNX. */
export interface OnnxValue {
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint32Array;
}

/**
 * Runs an ONNX model in onnxruntime.
 * @returns the outputs by name, and the names of the inputs
 */
export async function runOnnxInputs(
  model: Uint8Array,
  inputs: Readonly<Record<string, OnnxValue>>,
): Promise<{ inputs: readonly string[]; outputs: Record<string, { shape: readonly number[]; values: Float32Array }> }> {
  const session = await runtime.InferenceSession.create(model);
  try {
    const given = Object.entries(inputs).map(([name, { shape, values }]) => [
      name,
      values instanceof Float32Array
        ? new runtime.Tensor("float32", values, shape)
        : new runtime.Tensor("int64", BigInt64Array.from(values, BigInt), shape),
    ]);
    const results = await session.run(Object.fromEntries(given));
    const outputs = Object.entries(results).map(([name, { dims, data }]) => {
      return [name, { shape: dims, values: data as Float32Array }] as const;
    });
    return { inputs: session.inputNames, outputs: Object.fromEntries(outputs) };
  } finally {
    await session.release();
  }
}

/** Runs an ONNX model with one input, "features". */
export const runOnnx = (model: Uint8Array, features: Float32Array | Uint8Array, shape: readonly number[]) =>
  runOnnxInputs(model, { features: { shape, values: Float32Array.from(features) } });

/** The largest difference between corresponding values. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values and ${b.length}`);
  // Not Math.max(…differences), which would hide a NaN.
  return Array.from(a).reduce((largest, value, index) => {
    const difference = Object.is(value, b[index]) ? 0 : Math.abs(value - b[index]!);
    return difference <= largest ? largest : difference;
  }, 0);
}
