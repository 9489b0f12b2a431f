/*
 * Functional models as classes of PyTorch.
 */
import { OptionError } from "../errors.ts";
import type { FunctionalModel } from "../nn/functional.ts";
import type { PytorchModule, PytorchOpForm, PytorchParameter } from "../nn/layers/forms.ts";
import { parameterPrefix } from "../nn/sequential.ts";
import type { TrainedFunctionalModel } from "./functional.ts";
import { functionSteps, type FunctionStep, type FunctionSteps } from "./function-steps.ts";
import { opFormOf, opsByName } from "./op-forms.ts";
import { moduleKeyFor, variableFor } from "./python-names.ts";
import { networkModule } from "./pytorch-network.ts";

const forms = opsByName<PytorchOpForm>(import.meta.glob("../ops/*/pytorch.ts", { eager: true, import: "pytorch" }));

/** A module of the class. */
interface ClassModule {
  readonly layer: string;
  /** Its key in the class's nn.ModuleDict. */
  readonly key: string;
  readonly module: PytorchModule;
}

/**
 * The module of each use of a layer. Uses share it, unless a layer without parameters needs other arguments for inputs of
 * another shape.
 * @throws OptionError for a custom layer, and for a layer with parameters that needs other arguments
 */
function modulesOf({ steps }: FunctionSteps): ReadonlyMap<FunctionStep, ClassModule> {
  const uses = new Map<FunctionStep, ClassModule>();
  const made: ClassModule[] = [];
  for (const step of steps) {
    if (step.kind !== "layer") continue;
    const { name: layer, config, inputShape, outputShape } = step;
    const module = networkModule([config], [inputShape, outputShape], { isNetwork: false });
    let shared = made.find((other) => other.layer === layer && other.module.code === module.code);
    if (!shared) {
      requireSharable(layer, module, made);
      const keys = made.map(({ key }) => key);
      shared = { layer, key: moduleKeyFor(layer, keys), module };
      made.push(shared);
    }
    uses.set(step, shared);
  }
  return uses;
}

/** @throws OptionError for a second module with the same parameters */
function requireSharable(layer: string, { parameters = {} }: PytorchModule, made: readonly ClassModule[]): void {
  const other = made.find((one) => one.layer === layer);
  if (!other || Object.keys(parameters).length === 0) return;
  throw new OptionError({
    where: "PyTorch",
    what: `layer ${layer} is used on several shapes, which need different modules of PyTorch, but share parameters`,
    fix: 'Use it on one shape, or replace the padding "same" by numbers',
  });
}

/**
 * Where the parameters and states of a functional model are in the class that `functionClass` writes, by their names in the
 * model. Layers without an effect on the outputs are left out.
 * @throws OptionError for a custom layer
 */
export function functionParameters(model: FunctionalModel): ReadonlyMap<string, PytorchParameter> {
  const path = `${parameterPrefix(model.config)}layers`;
  const modules = new Set(modulesOf(functionSteps(model)).values());
  const places = Array.from(modules).flatMap(({ layer, key, module: { parameters = {} } }) =>
    Object.entries(parameters).map(([own, place]): [string, PytorchParameter] => {
      // The parameters of the only layer of an nn.Sequential begin with its index.
      const name = `${path}.${layer}.${own.slice("0.".length)}`;
      return [name, { ...place, name: `layers.${key}.${place.name}` }];
    }),
  );
  return new Map(places);
}

/** A functional model as Python code. */
export interface FunctionClass {
  /** Statements before the class. */
  readonly definitions: readonly string[];
  /** The lines of the class `Network`. */
  readonly lines: readonly string[];
  /** The arguments of `forward`, by the names of the inputs. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Writes the function of a model as the `forward` of an nn.Module.
 * @throws OptionError for an op or a layer without a form in PyTorch; GraphError for an op that moves elements between examples
 */
export function functionClass({ model }: TrainedFunctionalModel): FunctionClass {
  const traced = functionSteps(model);
  const modules = modulesOf(traced);
  const variables = new Map<string, string>();
  for (const name of Object.keys(model.inputs)) variables.set(name, variableFor(name, variables.values()));
  const writer = new ForwardWriter(traced, modules, variables);
  const unique = new Map(Array.from(modules.values(), ({ key, module }) => [key, module]));
  return {
    definitions: Array.from(unique.values()).flatMap(({ definitions = [] }) => definitions),
    lines: [
      "class Network(nn.Module):",
      "    def __init__(self):",
      "        super().__init__()",
      "        self.layers = nn.ModuleDict({",
      ...Array.from(unique, ([key, { code }]) => `            ${JSON.stringify(key)}: ${code},`),
      "        })",
      `    def forward(self, ${[...variables.values()].join(", ")}):`,
      ...writer.lines().map((line) => `        ${line}`),
    ],
    variables: Object.fromEntries(variables),
  };
}

/** Longer expressions get a variable. */
const LONGEST_EXPRESSION = 90;

class ForwardWriter {
  readonly #steps: FunctionSteps;
  readonly #modules: ReadonlyMap<FunctionStep, ClassModule>;
  /** The expression of each step. */
  readonly #code = new Map<FunctionStep, string>();
  readonly #inputs: ReadonlyMap<string, string>;
  readonly #variables: Set<string>;
  readonly #lines: string[] = [];

  constructor(
    steps: FunctionSteps,
    modules: ReadonlyMap<FunctionStep, ClassModule>,
    inputs: ReadonlyMap<string, string>,
  ) {
    this.#steps = steps;
    this.#modules = modules;
    this.#inputs = inputs;
    this.#variables = new Set(inputs.values());
  }

  /** The lines of the body. */
  lines(): readonly string[] {
    const { steps, outputs } = this.#steps;
    const readers = countsOfReaders(this.#steps);
    for (const step of steps) {
      const code = this.#expressionOf(step);
      const isRepeated = step.kind === "op" && (readers.get(step)! > 1 || code.length > LONGEST_EXPRESSION);
      this.#code.set(step, isRepeated || step.kind === "layer" ? this.#assign(step, code) : code);
    }
    const results = Object.entries(outputs).map(([name, step]) => `${JSON.stringify(name)}: ${this.#code.get(step)!}`);
    return [...this.#lines, `return {${results.join(", ")}}`];
  }

  #assign(step: FunctionStep, code: string): string {
    const variable = variableFor(step.kind === "layer" ? step.name : "x", this.#variables);
    this.#variables.add(variable);
    this.#lines.push(`${variable} = ${code}`);
    return variable;
  }

  /** A tensor that is made from nothing, on the device of the inputs. */
  #onDevice(code: string): string {
    const [first] = this.#inputs.values();
    return `${code}.to(${first}.device)`;
  }

  #expressionOf(step: FunctionStep): string {
    switch (step.kind) {
      case "input":
        return this.#inputs.get(step.name)!;
      case "constant":
        return step.shape.length === 0 ? numberCodes(step)[0]! : this.#onDevice(constantCode(step));
      case "layer":
        return `self.layers[${JSON.stringify(this.#modules.get(step)!.key)}](${this.#code.get(step.input)!})`;
      case "op": {
        const inputs = step.inputs.map((own) => this.#code.get(own)!);
        const code = opFormOf("PyTorch", forms, step.op)(inputs, step.place);
        return inputs.length === 0 ? this.#onDevice(code) : code;
      }
    }
  }
}

/** How many steps and outputs read each step. */
function countsOfReaders({ steps, outputs }: FunctionSteps): ReadonlyMap<FunctionStep, number> {
  const counts = new Map(steps.map((step) => [step, 0]));
  const count = (step: FunctionStep) => counts.set(step, counts.get(step)! + 1);
  for (const step of steps) {
    if (step.kind === "layer") count(step.input);
    else if (step.kind === "op") step.inputs.forEach(count);
  }
  Object.values(outputs).forEach(count);
  return counts;
}

type ConstantStep = Extract<FunctionStep, { kind: "constant" }>;

/** The numbers of a constant. Those of float32 have a point or an exponent, which makes them float32 in PyTorch too. */
const numberCodes = ({ values, dtype }: ConstantStep): string[] =>
  values.map((value) =>
    dtype === "float32" && Number.isInteger(value) && !String(value).includes("e") ? `${value}.0` : String(value),
  );

const constantCode = (step: ConstantStep): string =>
  `torch.tensor([${numberCodes(step).join(", ")}]).reshape([${step.shape.join(", ")}])`;
