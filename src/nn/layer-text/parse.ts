import { excerpt, OptionError, optionName } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import type { TextForm } from "../layers/forms.ts";
import type { ConfigValue, Layer, LayerConfig } from "../layers/layer.ts";
import { layerTypes } from "../layers/registry.ts";
import { DEEPEST } from "../model-config.ts";
import {
  activationNames,
  activationType,
  findActivation,
  findType,
  layerWords,
  plainName,
  textForms,
} from "./forms.ts";
import { partialResolver, unknownOption } from "./partial-config.ts";
import { isNumeric, valueOf } from "./values.ts";

/**
 * Makes layers from a text such as `conv 16 3x3 relu, maxpool 2, flatten, dense 10`. Layers are separated by commas. After
 * the word of a layer come its sizes, its activation, and other options as `name=value`, such as `stride=2`,
 * `padding=same` or `bias=false`. An activation is also a layer of its own. Layers inside a layer are in parentheses:
 * `residual(conv 16 3x3 padding=same relu, conv 16 3x3 padding=same)`, with `projection=(conv 16 1x1)` after it. The
 * options have the names and defaults of the functions that make layers. The words are those of `docs/guide/layers.md`;
 * the names of the functions, such as `conv2d`, are accepted as well. Upper and lower case do not matter.
 *
 * @example
 * ```ts
 * const model = sequential(layersFromText("conv 16 3x3 relu, maxpool 2, flatten, dense 10"), { inputShape: [28, 28] });
 * ```
 *
 * @throws OptionError that names the position in the text, counted from 1, and what was found there
 */
export function layersFromText(text: string): Layer[] {
  if (typeof text !== "string") {
    throw new OptionError({
      where: optionName("layersFromText"),
      what: `${excerpt(text)} is not a text`,
      fix: 'Give a text such as "dense 64 relu, dense 10"',
    });
  }
  const parser = new Parser(text);
  const configs = parser.layers(0);
  parser.requireEnd();
  return configs.map(({ config, at }) => made(config, at));
}

interface Token {
  /** A word, one of the signs "(", ")", "," and "=", or "" at the end of the text. */
  readonly text: string;
  /** The position of its first character, from 1. */
  readonly at: number;
}

/** A config whose options may be absent, and the position of its word. */
interface Placed {
  readonly config: LayerConfig;
  readonly at: number;
}

function made(config: LayerConfig, at: number): Layer {
  const { fromConfig } = layerTypes[config.type]!;
  try {
    return fromConfig(config, partialResolver(config.type));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { what, fix } = error;
    const refusal = { where: `${placeOf(at)}, ${error.where}`, what, fix };
    throw new OptionError(refusal, { cause: error });
  }
}

const placeOf = (at: number) => `${optionName("layersFromText")}, position ${at}`;

const isSign = (text: string) => text === "" || "(),=".includes(text);

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    const found = [...text.matchAll(/[(),=]|[^\s(),=]+/g)];
    const tokens = found.map((match) => ({ text: match[0], at: match.index + 1 }));
    this.#tokens = [...tokens, { text: "", at: text.length + 1 }];
  }

  /** Layers separated by commas. */
  layers(depth: number): Placed[] {
    const found = [this.#layer(depth)];
    while (this.#skip(",")) found.push(this.#layer(depth));
    return found;
  }

  requireEnd(): void {
    const { text, at } = this.#peek();
    if (text !== "") throw refuse(at, `${excerpt(text)} follows the last layer`, "Separate layers with commas");
  }

  #layer(depth: number): Placed {
    const { text, at } = this.#take();
    if (isSign(text)) throw refuse(at, `${foundText(text)} instead of a layer`, "Give a layer such as dense 10");
    const type = findType(text);
    const activation = findActivation(text);
    if (type === undefined && activation === undefined) throw notLayer(at, text);
    const chosen = type ?? activationType;
    const form = textForms[chosen]!;
    const options: Record<string, ConfigValue> = type === undefined ? { [form.values[0]!]: activation! } : {};
    if (form.inner !== undefined) options[form.inner] = this.#inner(form, depth);
    while (!isSign(this.#peek().text)) this.#option({ type: chosen, form, options }, depth);
    requireValues(form, options, at);
    return { config: { ...options, type: chosen }, at };
  }

  /** The layers in parentheses. */
  #inner({ word, example }: Pick<TextForm, "word" | "example">, depth: number): ConfigValue {
    const { text, at } = this.#take();
    if (text !== "(") throw refuse(at, `${foundText(text)} instead of the layers of ${word}`, `Write ${example}`);
    if (depth === DEEPEST) throw refuse(at, `this is inside ${DEEPEST} layers`, `Nest at most ${DEEPEST} layers`);
    const configs = this.layers(depth + 1).map((placed) => made(placed.config, placed.at).config);
    const end = this.#take();
    if (end.text !== ")") throw refuse(end.at, `${foundText(end.text)} instead of ")" after the layers of ${word}`);
    return configs;
  }

  /** A value, an activation, or an option with its name. */
  #option({ type, form, options }: Started, depth: number): void {
    const { text, at } = this.#take();
    const known = layerTypes[type]!.options;
    const [name, value] = this.#skip("=")
      ? [nameOf(text, at, type), this.#value(text, depth)]
      : named({ text, at }, { type, form, options });
    if (!known.includes(name)) throw unknownOption(`${placeOf(at)}, ${form.word}`, name, known);
    if (Object.hasOwn(options, name)) throw refuse(at, `${name} is given twice`, "Give it once");
    options[name] = form.lists?.includes(name) && typeof value === "number" ? [value] : value;
  }

  #value(name: string, depth: number): ConfigValue {
    if (this.#peek().text === "(") return this.#inner({ word: name, example: `${name}=(conv 16 1x1)` }, depth);
    const { text, at } = this.#take();
    if (isSign(text)) throw refuse(at, `${foundText(text)} instead of the value of ${name}`);
    return name === "activation" ? activationAt(text, at) : valueOf(text);
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    const token = this.#peek();
    // The last token marks the end of the text and stays the next one.
    if (token.text !== "") this.#next++;
    return token;
  }

  /** Whether the next token is this sign, which is then skipped. */
  #skip(sign: string): boolean {
    const isNext = this.#peek().text === sign;
    if (isNext) this.#next++;
    return isNext;
  }
}

/** A layer whose options are being read. */
interface Started {
  readonly type: string;
  readonly form: TextForm;
  readonly options: Record<string, ConfigValue>;
}

/** The option that a word without a name belongs to. */
function named({ text, at }: Token, { type, form, options }: Started): [name: string, value: ConfigValue] {
  const { word, values, isActivation, example } = form;
  const hasActivation = layerTypes[type]!.options.includes("activation");
  if (hasActivation && !isNumeric(text)) return ["activation", activationAt(text, at)];
  const free = values.find((name) => !Object.hasOwn(options, name));
  if (free !== undefined) return [free, isActivation ? activationAt(text, at) : valueOf(text)];
  const what = `${word} does not take the value ${excerpt(text)}`;
  throw refuse(at, what, `Write ${example}, or options such as name=value, or a comma before the next layer`);
}

function activationAt(text: string, at: number): string {
  const found = findActivation(text);
  if (found !== undefined) return found;
  const names = activationNames();
  const near = nearest(text, names);
  const choose = `Choose one of ${names.join(", ")}; other options are written as padding=same`;
  throw refuse(at, `there is no activation ${excerpt(text)}`, near === undefined ? choose : `Did you mean ${near}?`);
}

/** The name of an option as the layer spells it. */
function nameOf(text: string, at: number, type: string): string {
  if (isSign(text)) throw refuse(at, `${foundText(text)} instead of an option`);
  return layerTypes[type]!.options.find((name) => plainName(name) === plainName(text)) ?? text;
}

function requireValues({ word, values, example }: TextForm, options: object, at: number): void {
  const missing = values.find((name) => !Object.hasOwn(options, name));
  if (missing !== undefined) throw refuse(at, `the ${missing} of ${word} is missing`, `Write ${example}`);
}

function notLayer(at: number, text: string): OptionError {
  const near = nearest(text, [...layerWords(), ...activationNames()]);
  const choose = `Choose one of ${layerWords().join(", ")}, or an activation`;
  return refuse(at, `there is no layer ${excerpt(text)}`, near === undefined ? choose : `Did you mean ${near}?`);
}

const foundText = (text: string) => (text === "" ? "the text ends" : `there is ${excerpt(text)}`);

const refuse = (at: number, what: string, fix?: string) => new OptionError({ where: placeOf(at), what, fix });
