/*
 * The function of a functional model as a list of steps, for other libraries: each is an input, a constant, the use of a layer
 * or an op between layers. The function is traced for two sizes of the batch, which shows what depends on it.
 */
import { GraphError, OptionError } from "../errors.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { constantOp, input, inputOp, stepScalarOp, type ConstantAttributes } from "../graph/leaves.ts";
import type { DType, Shape, Tensor } from "../graph/tensor.ts";
import type { FunctionalModel, LayerUse } from "../nn/functional.ts";
import type { OpPlace, Size } from "../nn/layers/forms.ts";
import type { LayerConfig } from "../nn/layers/layer.ts";

/** A value that the function computes or is given. */
export type FunctionStep =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly values: readonly number[]; readonly shape: Shape; readonly dtype: DType }
  | LayerStep
  | { readonly kind: "op"; readonly op: string; readonly place: OpPlace; readonly inputs: readonly FunctionStep[] };

/** The use of a layer. */
export interface LayerStep {
  readonly kind: "layer";
  readonly name: string;
  readonly config: LayerConfig;
  /** How often the layer was used before. */
  readonly use: number;
  readonly input: FunctionStep;
  /** The shapes of one example. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
}

/** A function whose steps come after those that they need. */
export interface FunctionSteps {
  readonly steps: readonly FunctionStep[];
  /** The steps that compute the outputs. */
  readonly outputs: Readonly<Record<string, FunctionStep>>;
}

/** The sizes of the batch. */
const [FEW, MORE] = [2, 3];

/**
 * Lists the steps of a model's function in evaluation.
 * @throws OptionError for a function that does something else for each size of the batch, or draws random numbers in
 * evaluation
 */
export function functionSteps(model: FunctionalModel): FunctionSteps {
  const [few, more] = [traced(model, FEW), traced(model, MORE)];
  const tracer = new Tracer(model, few.uses, more.uses);
  const names = Object.keys(few.outputs);
  const pairs = tracer.pairsFrom(names.map((name) => [few.outputs[name]!, more.outputs[name]!]));
  // In this order, the inputs of each step are known, so that a long chain needs no deep recursion.
  for (const tensor of topologicalOrder(Object.values(few.outputs))) {
    const other = pairs.get(tensor);
    if (other) tracer.stepOf(tensor, other);
  }
  const outputs = names.map((name) => [name, tracer.stepOf(few.outputs[name]!, more.outputs[name]!)] as const);
  return { steps: tracer.steps, outputs: Object.fromEntries(outputs) };
}

function traced({ inputs, applyEach }: FunctionalModel, batch: number) {
  const given = Object.entries(inputs).map(([name, { shape, dtype }]) => [name, input(name, [batch, ...shape], dtype)]);
  return applyEach(Object.fromEntries(given), { training: false });
}

class Tracer {
  readonly steps: FunctionStep[] = [];
  readonly #known = new Map<Tensor, FunctionStep>();
  readonly #layers: FunctionalModel["config"]["layers"];
  /** The uses of layers by their results, for both sizes of the batch. */
  readonly #uses = new Map<Tensor, { readonly few: LayerUse; readonly more: LayerUse; readonly use: number }>();
  /** The uses of layers by the tensors of their final states. */
  readonly #ends = new Map<Tensor, LayerUse>();

  constructor({ config }: FunctionalModel, uses: readonly LayerUse[], others: readonly LayerUse[]) {
    this.#layers = config.layers;
    const counts = new Map<string, number>();
    uses.forEach((few, index) => {
      for (const own of Object.values(few.finalState ?? {}) as Tensor[]) this.#ends.set(own, few);
      // Dropout, for example, returns its input in evaluation.
      if (few.input === few.output || this.#uses.has(few.output)) return;
      const use = counts.get(few.name) ?? 0;
      counts.set(few.name, use + 1);
      this.#uses.set(few.output, { few, more: others[index]!, use });
    });
  }

  /** The tensors that pairs of outputs need, without those inside layers, each with the one for more examples. */
  pairsFrom(outputs: readonly (readonly [Tensor, Tensor])[]): ReadonlyMap<Tensor, Tensor> {
    const found = new Map<Tensor, Tensor>();
    const waiting = [...outputs];
    for (let pair = waiting.pop(); pair; pair = waiting.pop()) {
      const [tensor, other] = pair;
      if (found.has(tensor)) continue;
      found.set(tensor, other);
      const used = this.#uses.get(tensor);
      const ended = used ? undefined : this.#ends.get(tensor);
      if (ended) throw notExported(ended, "its final state is used", "states");
      if (used) waiting.push([used.few.input, used.more.input]);
      else {
        requireSameOp(tensor, other);
        tensor.inputs.forEach((own, index) => waiting.push([own, other.inputs[index]!]));
      }
    }
    return found;
  }

  /** The step that computes a tensor, which is `other` for more examples. */
  stepOf(tensor: Tensor, other: Tensor): FunctionStep {
    const known = this.#known.get(tensor);
    if (known) return known;
    const step = this.#made(tensor, other);
    this.#known.set(tensor, step);
    this.steps.push(step);
    return step;
  }

  #made(tensor: Tensor, other: Tensor): FunctionStep {
    const found = this.#uses.get(tensor);
    if (found) {
      const { few, more, use } = found;
      if (few.mask) throw notExported(few, "its attention gets a mask", "masks");
      if (few.memory) throw notExported(few, "its attention gets a memory", "memories");
      if (few.initialState) throw notExported(few, "it gets a state", "states");
      const [inputShape, outputShape] = [few.input.shape.slice(1), few.output.shape.slice(1)];
      const config = this.#layers[few.name]!;
      return {
        kind: "layer",
        name: few.name,
        config,
        use,
        input: this.stepOf(few.input, more.input),
        inputShape,
        outputShape,
      };
    }
    const { op, attributes, inputs, shape, dtype } = tensor;
    if (op === stepScalarOp) {
      const what = `it uses ${tensor}, which changes from step to step, as random numbers do`;
      const fix = "Use it only in training: ({ x }, { training, randomKey }) => …";
      throw new OptionError({ where: "model function", what, fix });
    }
    if (op === inputOp) return { kind: "input", name: (attributes as { name: string }).name };
    if (op === constantOp) return { kind: "constant", shape, dtype, values: (attributes as ConstantAttributes).values };
    const place = {
      attributes,
      inputs: inputs.map((own, index) => sizesOf(own, other.inputs[index]!)),
      shape: sizesOf(tensor, other),
    };
    return {
      kind: "op",
      op: op.name,
      place,
      inputs: inputs.map((own, index) => this.stepOf(own, other.inputs[index]!)),
    };
  }
}

const notExported = ({ name }: LayerUse, what: string, parts: string) =>
  new OptionError({
    where: `layer ${name}`,
    what: `${what}, which exported models do not have`,
    fix: `Export a model without ${parts}`,
  });

/** Numbers in the function that depend on the size of the batch have another value in each trace. */
function requireSameOp(tensor: Tensor, other: Tensor): void {
  const numbersOf = ({ attributes }: Tensor) => {
    const { values, parameters } = attributes as Partial<ConstantAttributes & { parameters: readonly number[] }>;
    return (values ?? parameters ?? []).join();
  };
  const isSame = tensor.op === other.op && tensor.inputs.length === other.inputs.length;
  if (isSame && numbersOf(tensor) === numbersOf(other)) return;
  throw new OptionError({
    where: "model function",
    what: `it computes ${tensor} for a batch of ${FEW} examples and ${other} for ${MORE}`,
    fix: "Do not use the number of examples in the function: an exported model takes any number",
  });
}

/** @throws GraphError for a size that is neither fixed nor proportional to the number of examples */
function sizesOf(tensor: Tensor, other: Tensor): Size[] {
  return tensor.shape.map((size, axis) => {
    const more = other.shape[axis]!;
    if (size === more) return size;
    if (size * MORE === more * FEW) return { perExample: size / FEW };
    const what = `${tensor} has an axis of size ${size} for ${FEW} examples, and ${more} for ${MORE}`;
    throw new GraphError({ where: "model function", what, fix: "Keep the examples on an axis of their own" });
  });
}
