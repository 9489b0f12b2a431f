import type { Graph } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** The maximum number of characters of attributes. */
const LONGEST_ATTRIBUTES = 160;

/**
 * Describes a graph as text: one line per node, then its outputs and updates. Nodes are named by their positions, such
 * as %3: `%3 = matmul(%0, %2) float32[64, 10] {"leftTransposed":false}`.
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

/** The attributes of an op. Of leaves, only the value of a scalar constant is shown. */
function attributes({ op, size, attributes: of }: Tensor): string {
  if (op.kind === "leaf" && (size > 1 || !("values" in of))) return "";
  const given = Object.entries(of).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  if (given.length === 0) return "";
  const text = JSON.stringify(Object.fromEntries(given));
  return ` ${text.length > LONGEST_ATTRIBUTES ? `${text.slice(0, LONGEST_ATTRIBUTES)}…` : text}`;
}

/** Quotes a name unless it is a plain word. */
const quoted = (name: string) => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name));
