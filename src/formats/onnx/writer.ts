import type { Normalization } from "../../data/dataset.ts";
import type { Shape } from "../../graph/tensor.ts";
import { entryOf } from "../../nn/checks.ts";
import { byFolder } from "../../nn/layers/by-folder.ts";
import type { LayerPlace, OnnxAttributes, OnnxForm, OnnxOpForm, OnnxWriter, OpPlace } from "../../nn/layers/forms.ts";
import type { ConfigValue, LayerConfig } from "../../nn/layers/layer.ts";
import { permuted } from "../../nn/layers/permute.ts";
import { shapesOfLayers } from "../../nn/model-config.ts";
import type { ParameterValues } from "../model.ts";
import { opFormOf, opsByName } from "../op-forms.ts";
import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValueInfo } from "./protobuf.ts";

const forms = byFolder<OnnxForm>(import.meta.glob("../../nn/layers/*/onnx.ts", { eager: true, import: "onnx" }));

const opForms = opsByName<OnnxOpForm>(import.meta.glob("../../ops/*/onnx.ts", { eager: true, import: "onnx" }));

/** The numbers of float32 and int64 in ONNX's TensorProto.DataType. */
export const FLOAT = 1;
export const INT64 = 7;

function toAttributes(attributes: OnnxAttributes): OnnxAttribute[] {
  return Object.entries(attributes).map(([name, value]) => {
    if ("int" in value) return { name, type: 2, i: BigInt(value.int) };
    if ("float" in value) return { name, type: 1, f: value.float };
    if ("ints" in value) return { name, type: 7, ints: value.ints.map(BigInt) };
    return { name, type: 3, s: new TextEncoder().encode(value.text) };
  });
}

/** Collects the nodes and constants of the graph. */
export class GraphWriter implements OnnxWriter {
  readonly constants: OnnxTensor[] = [];
  readonly #parameters: ParameterValues;
  readonly #nodes: OnnxNode[] = [];
  /** The names of the parameters' constants, by name and axes. */
  readonly #stored = new Map<string, string>();
  #value: string;
  /** Distinguishes the nodes of a second use of a layer from those of the first. */
  #suffix = "";

  /** @param input the name of the graph's input */
  constructor(input: string, parameters: ParameterValues) {
    this.#value = input;
    this.#parameters = parameters;
  }

  get value(): string {
    return this.#value;
  }

  continueFrom(value: string): void {
    this.#value = value;
  }

  apply(opType: string, name: string, others: readonly string[] = [], attributes: OnnxAttributes = {}): void {
    this.applyTo(opType, name, [this.#value, ...others], attributes);
  }

  applyTo(opType: string, name: string, input: readonly string[], attributes: OnnxAttributes = {}): void {
    const output = `${name}${this.#suffix}`;
    this.#nodes.push({ name: output, opType, input, output: [output], attribute: toAttributes(attributes) });
    this.#value = output;
  }

  applyNumber(opType: string, name: string, number: number): void {
    this.apply(opType, name, [this.constant(`${name}.number`, [], Float32Array.of(number))]);
  }

  transpose(name: string, axes: readonly number[]): void {
    const last = this.#nodes.find(({ output }) => output[0] === this.#value);
    const lastAxes = last?.opType === "Transpose" ? last.attribute[0]!.ints! : [];
    const isUndone =
      lastAxes.length === axes.length && axes.every((axis, position) => Number(lastAxes[axis]) === position);
    // The node stays for a branch that reads it; `neededNodes` leaves it out if there is none.
    if (isUndone) this.#value = last!.input[0]!;
    else this.apply("Transpose", name, [], { perm: { ints: axes } });
  }

  reshape(name: string, shape: Shape): void {
    // 0 keeps the size of the axis, the batch.
    this.apply("Reshape", name, [this.integers(`${name}.shape`, [0, ...shape])]);
  }

  numbers(name: string, values: readonly number[], shape: Shape = [values.length]): string {
    return this.constant(name, shape, Float32Array.from(values));
  }

  integers(name: string, values: readonly number[], shape: Shape = [values.length]): string {
    return this.#store(`${name}${this.#suffix}`, shape, BigInt64Array.from(values, BigInt));
  }

  constant(name: string, shape: Shape, values: Float32Array): string {
    return this.#store(`${name}${this.#suffix}`, shape, values);
  }

  #store(name: string, shape: Shape, values: Float32Array | BigInt64Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const dataType = values instanceof Float32Array ? FLOAT : INT64;
    this.constants.push({ name, dims: shape.map(BigInt), dataType, rawData });
    return name;
  }

  parameter(name: string, axes?: readonly number[]): string {
    const key = `${name} ${axes?.join() ?? ""}`;
    const known = this.#stored.get(key);
    if (known !== undefined) return known;
    const given = this.#parameters[name]!;
    const { shape, values } = axes ? permuted(given, axes) : given;
    this.#stored.set(key, name);
    return this.#store(name, shape, values);
  }

  layers(configs: ConfigValue | undefined, name: string, inputShape: Shape): void {
    const shapes = shapesOfLayers(configs, inputShape);
    (configs as readonly LayerConfig[]).forEach((config, position) => {
      this.layer(config, `${name}.${position}`, { isFirst: false, inputShape: shapes[position]! });
    });
  }

  /**
   * Writes a layer of the model.
   * @throws OptionError for a custom layer
   */
  layer(config: LayerConfig, name: string, place: LayerPlace): void {
    entryOf("ONNX", "layer type", forms, config.type)(this, config, name, place);
  }

  /**
   * Writes one of several uses of a layer. They share the parameters.
   * @param use counted from 0
   */
  layerUse(use: number, config: LayerConfig, name: string, place: LayerPlace): void {
    this.#suffix = use === 0 ? "" : `.use${use + 1}`;
    this.layer(config, name, place);
    this.#suffix = "";
  }

  /**
   * Writes an op of a function.
   * @throws OptionError for an op that has no form
   */
  op(type: string, place: OpPlace, name: string, inputs: readonly string[]): void {
    opFormOf("ONNX", opForms, type)(this, place, name, inputs);
  }

  /** Gives the last result a name as an output of the graph. */
  nameResult(name: string): void {
    const index = this.#nodes.findIndex(({ output }) => output[0] === this.#value);
    const isRead = this.#nodes.some(({ input }) => input.includes(this.#value));
    // The graph's input, and a result that other nodes read, keep their names.
    if (index < 0 || isRead) this.apply("Identity", name);
    else this.#nodes[index] = { ...this.#nodes[index]!, output: [name] };
    this.#value = name;
  }

  /** The nodes that outputs depend on. */
  neededNodes(outputs: readonly string[]): OnnxNode[] {
    const needed = new Set(outputs);
    return this.#nodes
      .toReversed()
      .filter(({ input, output }) => {
        if (!needed.has(output[0]!)) return false;
        for (const value of input) needed.add(value);
        return true;
      })
      .toReversed();
  }
}

/** An input or output, whose first axis, the batch, may have any size. */
export function valueInfo(name: string, shape: Shape, elemType = FLOAT): OnnxValueInfo {
  const dim = [{ dimParam: "batch" }, ...shape.map((size) => ({ dimValue: BigInt(size) }))];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/**
 * Writes value · scale + offset of the last result.
 * @param shape of one example
 * @param prefix precedes the names
 */
export function normalize(graph: GraphWriter, normalization: Normalization, shape: Shape, prefix = ""): void {
  for (const [name, opType, neutral] of [
    ["scale", "Mul", 1],
    ["offset", "Add", 0],
  ] as const) {
    const values = normalization[name];
    if (values === neutral) continue;
    const constant =
      typeof values === "number"
        ? graph.constant(`${prefix}${name}`, [], Float32Array.of(values))
        : graph.constant(`${prefix}${name}`, shape, Float32Array.from(values));
    graph.apply(opType, `${prefix}${name === "scale" ? "scaled" : "normalized"}`, [constant]);
  }
}
