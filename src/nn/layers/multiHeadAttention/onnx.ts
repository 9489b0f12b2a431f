import { rotationTables } from "../../../ops/attention/rotation.ts";
import type { OnnxForm, OnnxWriter } from "../forms.ts";
import { writeLinear } from "../sequences-onnx.ts";

export const onnx: OnnxForm = (writer, config, name, { inputShape }) => {
  const { heads, causal, bias, rotary } = config;
  const [length, width] = inputShape as [number, number];
  const count = heads as number;
  const each = width / count;
  writeLinear(writer, name, bias === true);
  writer.reshape(`${name}.parts`, [length, 3, count, each]);
  // [batch, part, head, length, width of a head]
  writer.transpose(`${name}.byPart`, [0, 2, 3, 1, 4]);
  const parts = writer.value;
  const partOf = (own: string, part: number) => {
    writer.continueFrom(parts);
    writer.apply("Gather", `${name}.${own}.part`, [writer.integers(`${name}.${own}.index`, [part])], {
      axis: { int: 1 },
    });
    writer.reshape(`${name}.${own}`, [count, length, each]);
    return writer.value;
  };
  const [v, k] = [partOf("values", 2), partOf("keys", 1)];
  const keys = rotary ? writeRotation(writer, `${name}.rotatedKeys`, length, each) : k;
  partOf("queries", 0);
  const queries = rotary ? writeRotation(writer, `${name}.rotatedQueries`, length, each) : writer.value;
  writer.continueFrom(keys);
  writer.transpose(`${name}.transposedKeys`, [0, 1, 3, 2]);
  const transposed = writer.value;
  writer.applyTo("MatMul", `${name}.products`, [queries, transposed]);
  writer.applyNumber("Mul", `${name}.scores`, 1 / Math.sqrt(each));
  if (causal === true) writeCausal(writer, name, length);
  writer.apply("Softmax", `${name}.weights`, [], { axis: { int: -1 } });
  writer.apply("MatMul", `${name}.attended`, [v]);
  writer.transpose(`${name}.byPosition`, [0, 2, 1, 3]);
  writer.reshape(`${name}.merged`, [length, width]);
  writeLinear(writer, `${name}.output`, bias === true);
};

/** Adds numbers that leave no weight to the keys after a query. */
function writeCausal(writer: OnnxWriter, name: string, length: number): void {
  const rows = Array.from({ length }, (_, query) => Array.from({ length }, (__, key) => (key > query ? -1e30 : 0)));
  writer.apply("Add", `${name}.masked`, [writer.numbers(`${name}.mask`, rows.flat(), [length, length])]);
}

/** Rotates the last result, [batch, heads, length, width], as `rotateByPosition` does. @returns the name of the result */
function writeRotation(writer: OnnxWriter, name: string, length: number, width: number): string {
  const { cosines, sines } = rotationTables(length, width);
  const others = Array.from({ length: width }, (_, element) => element ^ 1);
  const x = writer.value;
  writer.apply("Gather", `${name}.exchanged`, [writer.integers(`${name}.others`, others)], { axis: { int: 3 } });
  writer.apply("Mul", `${name}.across`, [writer.numbers(`${name}.sines`, sines, [length, width])]);
  const across = writer.value;
  writer.applyTo("Mul", `${name}.along`, [x, writer.numbers(`${name}.cosines`, cosines, [length, width])]);
  writer.apply("Add", name, [across]);
  return writer.value;
}
