/*
 * The network with its numbers: values in the units, weights and gradients on the edges.
 */
import "./backpropagation.css";
import { inputs, learningRate, parameterNames, target, type ParameterName } from "./network.ts";
import { parameters, phase, reached, round, type Phase } from "./state.ts";
import { factorText, numberText } from "./text.ts";

/** The centers of the units in the drawing. */
const places = { x1: [50, 85], x2: [50, 235], h1: [240, 85], h2: [240, 235], y: [430, 160] } as const;
type UnitName = keyof typeof places;

const RADIUS = 30;

interface Edge {
  readonly name: ParameterName;
  readonly from: UnitName;
  readonly to: UnitName;
  /** Where its numbers are: a share of the way. */
  readonly at: number;
}

/** Numbers of crossing edges are in different places. */
const edges: readonly Edge[] = [
  { name: "w11", from: "x1", to: "h1", at: 0.5 },
  { name: "w12", from: "x1", to: "h2", at: 0.3 },
  { name: "w21", from: "x2", to: "h1", at: 0.3 },
  { name: "w22", from: "x2", to: "h2", at: 0.5 },
  { name: "v1", from: "h1", to: "y", at: 0.45 },
  { name: "v2", from: "h2", to: "y", at: 0.45 },
];

const subscripts: Readonly<Record<string, string>> = { "1": "₁", "2": "₂" };
const titleOf = (name: string) => name.replace(/\d/g, (digit) => subscripts[digit]!);

/** The phase in which the gradient of a parameter is known. */
const gradientPhase = (name: ParameterName): Phase => (/^[vc]/.test(name) ? "output error" : "hidden errors");

export function BackpropagationView() {
  return (
    <div class="backpropagation">
      <section class="card" aria-label="The network">
        <Diagram />
      </section>
      <section class="card" aria-labelledby="backpropagation-title">
        <h2 id="backpropagation-title">{headings[phase.value]}</h2>
        <div class="backpropagation-formulas" data-testid="backpropagation-formulas" aria-live="polite">
          {formulas().map((line) => (
            <p key={line}>{line}</p>
          ))}
        </div>
        <ParameterTable />
      </section>
    </div>
  );
}

const headings: Readonly<Record<Phase, string>> = {
  inputs: "The example and the weights",
  hidden: "Forward: the hidden units",
  output: "Forward: the output and its loss",
  "output error": "Backward: the error of the output",
  "hidden errors": "Backward: the errors of the hidden units",
  update: "The update",
};

/** What is computed in the current phase, with the numbers. */
function formulas(): string[] {
  const p = parameters.value;
  const { h1, h2, y, loss, dy, dh1, dh2, gradients, after } = round.value;
  const [t, f] = [numberText, factorText];
  const [x1, x2] = inputs;
  switch (phase.value) {
    case "inputs":
      return [
        `x₁ = ${x1}, x₂ = ${x2}. The output should be t = ${target}.`,
        "Each unit computes σ(sum) = 1 / (1 + exp(−sum)).",
      ];
    case "hidden":
      return [
        `h₁ = σ(w₁₁x₁ + w₂₁x₂ + b₁) = σ(${t(p.w11)}·${x1} + ${t(p.w21)}·${x2} + ${t(p.b1)}) = ${t(h1)}`,
        `h₂ = σ(w₁₂x₁ + w₂₂x₂ + b₂) = σ(${t(p.w12)}·${x1} + ${t(p.w22)}·${x2} + ${t(p.b2)}) = ${t(h2)}`,
      ];
    case "output":
      return [
        `y = σ(v₁h₁ + v₂h₂ + c) = σ(${t(p.v1)}·${f(h1)} + ${t(p.v2)}·${f(h2)} + ${t(p.c)}) = ${t(y)}`,
        `Loss = ½(y − t)² = ½(${t(y)} − ${target})² = ${t(loss)}`,
      ];
    case "output error":
      return [
        `δ = (y − t)·y(1 − y) = ${t(y - target)}·${f(y)}·${f(1 - y)} = ${t(dy)}: how the loss changes with the sum of the output.`,
        `Gradients: of v₁, δh₁ = ${t(gradients.v1)}; of v₂, δh₂ = ${t(gradients.v2)}; of c, δ = ${t(gradients.c)}.`,
      ];
    case "hidden errors":
      return [
        `δ₁ = δv₁·h₁(1 − h₁) = ${t(dy)}·${f(p.v1)}·${f(h1 * (1 - h1))} = ${t(dh1)}`,
        `δ₂ = δv₂·h₂(1 − h₂) = ${t(dy)}·${f(p.v2)}·${f(h2 * (1 - h2))} = ${t(dh2)}`,
        `Gradients: δ₁ or δ₂ times the input, ${x1} or ${x2}.`,
      ];
    case "update":
      return [
        `Each weight w becomes w − ${learningRate} · its gradient. The learning rate is ${learningRate}.`,
        `With the new weights, y = ${t(after.y)} and the loss is ${t(after.loss)}.`,
      ];
  }
}

function Diagram() {
  const { h1, h2, y, loss, dh1, dh2, dy } = round.value;
  const [knowsHidden, knowsOutput] = [reached("hidden"), reached("output")];
  return (
    <svg class="backpropagation-diagram" viewBox="0 25 480 280" role="img" aria-label={spoken()}>
      {edges.map((edge) => (
        <EdgeLine key={edge.name} edge={edge} />
      ))}
      {edges.map((edge) => (
        <EdgeNumbers key={edge.name} edge={edge} />
      ))}
      <Unit name="x1" value={inputs[0]} />
      <Unit name="x2" value={inputs[1]} />
      <Unit name="h1" value={knowsHidden ? h1 : undefined} error={reached("hidden errors") ? dh1 : undefined} />
      <Unit name="h2" value={knowsHidden ? h2 : undefined} error={reached("hidden errors") ? dh2 : undefined} />
      <Unit name="y" value={knowsOutput ? y : undefined} error={reached("output error") ? dy : undefined} />
      <text x={430} y={265} class="quiet">
        t = {target}
      </text>
      <text x={430} y={287} class="quiet">
        {knowsOutput ? `loss ${numberText(loss)}` : ""}
      </text>
    </svg>
  );
}

const spoken = (): string =>
  `Two inputs, two hidden units and one output. ${headings[phase.value]}. ${formulas().join(" ")}`;

/** Blue for a positive weight, orange for a negative one, and as wide as it is large. */
function EdgeLine({ edge: { name, from, to } }: { edge: Edge }) {
  const [[x1, y1], [x2, y2]] = [places[from], places[to]];
  const weight = (reached("update") ? round.value.next : parameters.value)[name];
  return (
    <line
      x1={x1}
      y1={y1}
      x2={x2}
      y2={y2}
      class={weight < 0 ? "negative" : "positive"}
      stroke-width={1 + 5 * Math.abs(weight)}
    />
  );
}

function EdgeNumbers({ edge: { name, from, to, at } }: { edge: Edge }) {
  const [[x1, y1], [x2, y2]] = [places[from], places[to]];
  const [x, y] = [x1 + at * (x2 - x1), y1 + at * (y2 - y1)];
  const isUpdated = reached("update");
  return (
    <g text-anchor="middle">
      <text x={x} y={y - 4}>
        {titleOf(name)} {numberText((isUpdated ? round.value.next : parameters.value)[name])}
      </text>
      {reached(gradientPhase(name)) && (
        <text x={x} y={y + 13} class="gradient">
          ∂ {numberText(round.value.gradients[name])}
        </text>
      )}
    </g>
  );
}

function Unit({ name, value, error }: { name: UnitName; value: number | undefined; error?: number | undefined }) {
  const [x, y] = places[name];
  return (
    <g text-anchor="middle">
      <circle cx={x} cy={y} r={RADIUS} />
      <text x={x} y={y - RADIUS - 8}>
        {titleOf(name)}
      </text>
      <text x={x} y={y + 5} class="value">
        {value === undefined ? "?" : Number.isInteger(value) ? value : numberText(value)}
      </text>
      {error !== undefined && (
        <text x={x} y={y + RADIUS + 18} class="gradient">
          δ {numberText(error)}
        </text>
      )}
    </g>
  );
}

/** All parameters with their gradients and new values. */
function ParameterTable() {
  const { gradients, next } = round.value;
  return (
    <table class="backpropagation-table" data-testid="backpropagation-parameters">
      <caption class="hidden">The parameters, their gradients, and their values after the update</caption>
      <thead>
        <tr>
          <th scope="col">Weight</th>
          <th scope="col">Value</th>
          <th scope="col">Gradient</th>
          <th scope="col">New value</th>
        </tr>
      </thead>
      <tbody>
        {parameterNames.map((name) => (
          <tr key={name}>
            <th scope="row">{titleOf(name)}</th>
            <td>{numberText(parameters.value[name])}</td>
            <td>{reached(gradientPhase(name)) ? numberText(gradients[name]) : "–"}</td>
            <td>{reached("update") ? numberText(next[name]) : "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
