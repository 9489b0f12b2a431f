import type { Graph } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** Attributes are shown up to this many characters. */
const LONGEST_ATTRIBUTES = 160;

/**
 * A graph as text, one line per node, then its outputs and updates. A node is named by its position, such as %3:
 * `%3 = matmul(%0, %2) float32[64, 10] {"leftTransposed":false}`.
 */
export function describeGraph({ nodes, outputs, updates }: Graph): string[] {
  const names = new Map(nodes.map((node, position) => [node, `%${position}`]));
  const nameOf = (node: Tensor) => names.get(node)!;
  return [
    `graph of ${nodes.length} nodes`,
    ...nodes.map(
      (node) =>
        `  ${nameOf(node)} = ${expression(node, nameOf)} ${node.dtype}[${node.shape.join(", ")}]${attributes(node)}`,
    ),
    ...Object.entries(outputs).map(([name, node]) => `  output ${quoted(name)} = ${nameOf(node)}`),
    ...updates.map(({ target, value }) => `  update ${nameOf(target)} <- ${nameOf(value)}`),
  ];
}

function expression({ op, inputs, attributes: of }: Tensor, nameOf: (node: Tensor) => string): string {
  if (op.kind !== "leaf") return `${op.name}(${inputs.map(nameOf).join(", ")})`;
  const { name } = of as { name?: string };
  return name === undefined ? op.name : `${op.name} ${quoted(name)}`;
}

/** What else the op needs; of leaves, only the number of a scalar constant. */
function attributes({ op, size, attributes: of }: Tensor): string {
  if (op.kind === "leaf" && (size > 1 || !("values" in of))) return "";
  const given = Object.entries(of).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  if (given.length === 0) return "";
  const text = JSON.stringify(Object.fromEntries(given));
  return ` ${text.length > LONGEST_ATTRIBUTES ? `${text.slice(0, LONGEST_ATTRIBUTES)}…` : text}`;
}

/** A name as it is, where it is a plain word. */
const quoted = (name: string) => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name));
