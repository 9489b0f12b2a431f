/*
 * The layers of a functional model: made at their first use, and found again at later ones.
 */
import { excerpt, GraphError, OptionError } from "../errors.ts";
import { nameOf } from "../graph/leaves.ts";
import { requireTensor, sameShape, type Shape, type Tensor } from "../graph/tensor.ts";
import { randomKey } from "../random.ts";
import { isName, type LayerBuilder } from "./build.ts";
import { checkedLayer } from "./extensions.ts";
import type { FunctionContext, LayerUse, StateUseOptions, UseOptions } from "./functional.ts";
import { requireLayers } from "./layers/chain.ts";
import type { ApplyOptions, BuiltLayer, Layer, LayerConfig, RecurrentLayer, RecurrentState } from "./layers/layer.ts";
import { stepKey } from "./layers/step-key.ts";

/** The first part, "fn", of the numbers that distinguish the keys of a function from those of layers. */
const FUNCTION_KEYS = 0x666e;

const WHERE = "model function";

const SAME_LAYERS = "Use the same layers in the same order at each call, in training and in evaluation";

interface KnownLayer {
  readonly name: string;
  readonly config: LayerConfig;
  readonly inputShape: Shape;
  readonly built: BuiltLayer;
  /** Its parameters and states. */
  readonly leaves: readonly Tensor[];
}

/** A call of the function of a functional model. */
interface FunctionCall {
  readonly context: FunctionContext;
  /** The uses of layers so far. */
  readonly uses: readonly LayerUse[];
  /**
   * Ends the call.
   * @throws OptionError if it has not used all layers
   */
  end(): void;
}

/** The layers of a functional model. */
export class LayerUses {
  readonly #builder: LayerBuilder;
  readonly #layers: KnownLayer[] = [];
  /** Whether the first call has ended, after which no more layers are made. */
  #isComplete = false;

  constructor(builder: LayerBuilder) {
    this.#builder = builder;
  }

  /** The configs of the layers by name. */
  configs(): Readonly<Record<string, LayerConfig>> {
    return Object.fromEntries(this.#layers.map(({ name, config }) => [name, config]));
  }

  /** Starts a call of the function. A layer of a later call is the one at the same position in the first call. */
  call(options: Required<ApplyOptions>): FunctionCall {
    const { training, precision } = options;
    const uses: LayerUse[] = [];
    const positions = new Map<Layer, { readonly position: number; times: number }>();
    let keys = 0;
    const use = (layer: Layer, x: Tensor, given: string | UseOptions, withState: boolean): LayerUse => {
      const { name, mask, memory, state } = typeof given === "string" ? { name: given } : given;
      requireLayers("use", [layer]);
      requireTensor("use", x);
      if (x.shape.length === 0)
        throw new GraphError({ where: "use", what: `${x} has no batch`, fix: "Give [batch, …]" });
      const others = { ...(mask !== undefined && { mask }), ...(memory !== undefined && { memory }) };
      for (const [option, tensor] of Object.entries(others)) requireTensor(`use ${option}`, tensor);
      const used = positions.get(layer) ?? { position: positions.size, times: 0 };
      positions.set(layer, used);
      const known = this.#layerAt(used.position, layer, x, name);
      if (state !== undefined || withState) requireRecurrent(known);
      const own = { ...optionsOfUse(options, used.times++), ...others, ...(state && { state }) };
      const { output, state: finalState } = withState
        ? known.built.applyWithState!(x, own)
        : { output: known.built.apply(x, own) };
      for (const option of Object.keys(others)) requireUsed(known, option, { x, output, others });
      options.recordOutput(output);
      const made = { name: known.name, input: x, output, ...others, initialState: state, finalState };
      uses.push(made);
      return made;
    };
    return {
      context: {
        training,
        precision,
        use: (layer, x, given = {}) => use(layer, x, given, false).output,
        useWithState<State extends RecurrentState>(
          layer: RecurrentLayer<State>,
          x: Tensor,
          given: string | StateUseOptions<State> = {},
        ) {
          const { output, finalState } = use(layer, x, given, true);
          return { output, state: finalState as State };
        },
        randomKey: () => stepKey({ index: randomKey(FUNCTION_KEYS, keys), path: `random.${keys++}` }, options),
      },
      uses,
      end: () => this.#end(positions.size),
    };
  }

  #layerAt(position: number, layer: Layer, x: Tensor, given: string | undefined): KnownLayer {
    const name = given ?? this.#layers[position]?.name ?? String(position);
    const known = this.#layers[position] ?? this.#make(position, layer, x, name);
    this.#requireSame(position, known, { name, config: layer.config });
    const inputShape = x.shape.slice(1);
    if (sameShape(known.inputShape, inputShape)) return known;
    return { ...known, built: this.#buildAgain(position, layer, known, x) };
  }

  /**
   * The layer for inputs of another shape, with the parameters and states of its first use.
   * @throws GraphError if one of them would have another shape
   */
  #buildAgain(position: number, layer: Layer, { name, config, inputShape, leaves }: KnownLayer, x: Tensor): BuiltLayer {
    const shared = (own: string, shape: Shape): Tensor => {
      const fullName = this.#builder.nameIn(name, own);
      const leaf = leaves.find((one) => nameOf(one) === fullName);
      if (leaf && sameShape(leaf.shape, shape)) return leaf;
      const made = leaf ? `[${leaf.shape.join(", ")}]` : "none";
      throw new GraphError({
        where: `layer ${name}, ${config.type}`,
        what: `${x} needs ${own} [${shape.join(", ")}], but the first use, with [${["batch", ...inputShape].join(", ")}], made ${made}`,
        fix: "Give a shared layer inputs that its parameters fit, or use another layer",
      });
    };
    const place = { index: position, path: name, inputShape: x.shape.slice(1), nextActivation: undefined };
    return checkedLayer(layer, name, layer.build({ ...place, parameter: shared, state: shared }));
  }

  #requireSame(position: number, known: KnownLayer, found: Pick<KnownLayer, "name" | "config">): void {
    const isSame = JSON.stringify(known.config) === JSON.stringify(found.config);
    if (isSame && known.name === found.name) return;
    const described = ({ name, config }: typeof found) => `${config.type} ${excerpt(name)}`;
    const what =
      described(known) === described(found)
        ? `${described(found)} has other options than when the model was made`
        : `it is ${described(found)}, but it was ${described(known)} when the model was made`;
    throw new OptionError({ where: `${WHERE}, layer ${position}`, what, fix: SAME_LAYERS });
  }

  #make(position: number, layer: Layer, x: Tensor, name: string): KnownLayer {
    if (this.#isComplete) {
      const what = `it uses more than the ${this.#layers.length} layers that it used when the model was made`;
      throw new OptionError({ where: WHERE, what, fix: SAME_LAYERS });
    }
    const where = `layer ${excerpt(name)}`;
    if (name !== String(position) && !isName(name)) {
      const fix = 'Give letters, digits, "_" and "-", starting with a letter';
      throw new OptionError({ where, what: "this is not a name of a layer", fix });
    }
    if (this.#layers.some((other) => other.name === name)) {
      throw new OptionError({ where, what: "two layers have this name", fix: "Give each layer its own name" });
    }
    const inputShape = x.shape.slice(1);
    const { parameters, states } = this.#builder;
    const before = [parameters.length, states.length] as const;
    const built = this.#builder.build(layer, { index: position, path: name, inputShape, nextActivation: undefined });
    const leaves = [...parameters.slice(before[0]), ...states.slice(before[1])];
    const made = { name, config: layer.config, inputShape, built, leaves };
    this.#layers.push(made);
    return made;
  }

  #end(count: number): void {
    this.#isComplete = true;
    if (count === this.#layers.length) return;
    const what = `it uses ${count} layers, but used ${this.#layers.length} when the model was made`;
    throw new OptionError({ where: WHERE, what, fix: SAME_LAYERS });
  }
}

/** @throws GraphError if the layer has no state */
function requireRecurrent({ name, config, built }: KnownLayer): void {
  if (built.applyWithState) return;
  throw new GraphError({
    where: `layer ${name}, ${config.type}`,
    what: "it is given a state, or asked for one, but is not recurrent",
    fix: "Use states only with layers.gru and layers.lstm, each used by itself and not inside another layer",
  });
}

/** @throws GraphError if the output does not depend on the mask or memory that the layer gets */
function requireUsed(
  { name, config }: KnownLayer,
  option: string,
  { x, output, others }: { x: Tensor; output: Tensor; others: Readonly<Record<string, Tensor>> },
): void {
  const seen = new Set<Tensor>([x]);
  const left = [output];
  for (let tensor = left.pop(); tensor; tensor = left.pop()) {
    if (tensor === others[option]) return;
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    // A memory may depend on the same mask.
    if (tensor !== others["memory"]) left.push(...tensor.inputs);
  }
  throw new GraphError({
    where: `layer ${name}, ${config.type}`,
    what: `it gets a ${option}, but has no attention that uses it`,
    fix: `Give a ${option} only to layers with attention${option === "mask" ? ", and multiply other results by it" : ""}`,
  });
}

/** Later uses of a layer draw other random numbers than the first one. */
function optionsOfUse(options: Required<ApplyOptions>, times: number): Required<ApplyOptions> {
  if (times === 0) return options;
  return { ...options, dropoutKeyAt: (step, layer) => options.dropoutKeyAt(step, randomKey(layer, times)) };
}
