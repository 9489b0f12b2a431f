import { expect, test } from "vitest";
import { describeGraph } from "../../src/graph/describe.ts";
import { add, constant, defineGraph, matmul, multiply, parameter, stepScalar, sum } from "../../src/index.ts";

test("a graph is described by a line per node, output and update", () => {
  const weights = parameter("layers.0.weight", [3, 2]);
  const product = matmul(constant([1, 2, 3, 4, 5, 6], [2, 3]), weights);
  const rate = stepScalar("rate", () => 0.1);
  const graph = defineGraph({ "the sum": sum(product) }, [{ target: weights, value: add(weights, multiply(rate, 2)) }]);
  const lines = describeGraph(graph);
  expect(lines[0]).toBe(`graph of ${graph.nodes.length} nodes`);
  expect(lines).toHaveLength(1 + graph.nodes.length + 2);
  const text = lines.join("\n");
  // Attributes longer than a line are left out, except for scalars.
  expect(text).toMatch(/^ {2}%\d+ = constant float32\[2, 3\]$/m);
  expect(text).toMatch(/^ {2}%\d+ = constant float32\[\] \{"values":\[2\]\}$/m);
  expect(text).toMatch(/^ {2}%\d+ = parameter layers\.0\.weight float32\[3, 2\]$/m);
  expect(text).toMatch(/^ {2}%\d+ = stepScalar rate float32\[\]$/m);
  expect(text).toMatch(/^ {2}%\d+ = matmul\(%\d+, %\d+\) float32\[2, 2\] \{.*\}$/m);
  expect(text).toMatch(/^ {2}output "the sum" = %\d+$/m);
  expect(text).toMatch(/^ {2}update %\d+ <- %\d+$/m);
});

test("names are escaped", () => {
  const hidden = parameter("\u001b[31m\n", []);
  expect(describeGraph(defineGraph({ hidden }))[1]).toBe('  %0 = parameter "\\u001b[31m\\n" float32[]');
});
