/*
 * The training data of a prepared run: its arrays as objects, and what they mean.
 */
import { isRegression, makeClassificationDataset, makeRegressionDataset, type Dataset } from "../../../data/dataset.ts";
import { tokenizerFromConfig } from "../../../data/text/config.ts";
import { textDatasetOfTokens, type TextDataset } from "../../../data/text/dataset.ts";
import { isText } from "../../../data/text/windows.ts";
import type { TrainedModel } from "../../../formats/model.ts";
import { MessageError, type MessageFields } from "../../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../../objects.ts";

const arrayTypes = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array } as const;

type TypeName = keyof typeof arrayTypes;
type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float32Array;

/** An array of numbers as an object, little-endian, as on all machines that run JavaScript. */
interface StoredArray extends ObjectReference {
  readonly type: TypeName;
}

/** The arrays of a data set by name, and the rest of it. The names of classes, outputs and tokens are in the model's file. */
export interface StoredData {
  readonly name: string;
  /** The shape of an example; [context] for text. */
  readonly shape: readonly number[];
  readonly arrays: Readonly<Record<string, StoredArray>>;
}

export const STORED_DATA_FIELDS: readonly (keyof StoredData)[] = ["name", "shape", "arrays"];

/** Stores bytes under their digest, unless they are there. */
export type StoreObject = (bytes: Uint8Array) => Promise<ObjectReference>;

/** Reads an object, and checks its size and digest. */
export type FetchObject = (reference: ObjectReference) => Promise<Uint8Array>;

/** Stores the arrays of a data set. */
export async function storeData(data: Dataset | TextDataset, store: StoreObject): Promise<StoredData> {
  const given: Readonly<Record<string, NumberArray | undefined>> = isText(data)
    ? { tokens: data.tokens, documents: data.documents }
    : { features: data.features, ...(isRegression(data) ? { targets: data.targets } : { labels: data.labels }) };
  const shape = isText(data) ? [data.context] : data.shape;
  const arrays: Record<string, StoredArray> = {};
  for (const [name, values] of Object.entries(given)) if (values) arrays[name] = await storeArray(values, store);
  return { name: data.name, shape, arrays };
}

async function storeArray(values: NumberArray, store: StoreObject): Promise<StoredArray> {
  const type = (Object.keys(arrayTypes) as TypeName[]).find((name) => values instanceof arrayTypes[name])!;
  return { type, ...(await store(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))) };
}

/** Checks the fields of stored data. @throws MessageError */
export function readStoredData(fields: MessageFields): StoredData {
  const names = ["features", "labels", "targets", "tokens", "documents"];
  const arrays = fields.object("arrays", names);
  const given = names.filter((name) => arrays.has(name));
  return {
    name: fields.text("name", /^[^\p{C}]{1,1000}$/u),
    shape: fields.numbers("shape", 8),
    arrays: Object.fromEntries(
      given.map((name) => [name, readArray(arrays.object(name, ["type", ...REFERENCE_FIELDS]))]),
    ),
  };
}

const readArray = (fields: MessageFields): StoredArray => ({
  type: fields.oneOf("type", Object.keys(arrayTypes) as TypeName[]),
  ...readReference(fields),
});

/**
 * Fetches a data set.
 * @param trained has the names of the classes or outputs, or the tokenizer
 * @throws MessageError if an array is missing or has another type; DataError and OptionError for contents that are invalid
 */
export async function fetchData(
  { name, shape, arrays }: StoredData,
  trained: Pick<TrainedModel, "classes" | "outputs" | "tokenizer">,
  fetchObject: FetchObject,
): Promise<Dataset | TextDataset> {
  const fetchArray = async <Type extends TypeName>(array: string, ...types: readonly Type[]) => {
    const stored = arrays[array];
    if (!stored || !types.some((type) => type === stored.type))
      throw new MessageError({ where: name, what: `the data have no ${array} of type ${types.join(" or ")}` });
    const bytes = await fetchObject(stored);
    const Values = arrayTypes[stored.type];
    if (bytes.length % Values.BYTES_PER_ELEMENT !== 0)
      throw new MessageError({ where: name, what: `the ${array} end within a number` });
    return new Values(new Uint8Array(bytes).buffer) as InstanceType<(typeof arrayTypes)[Type]>;
  };
  if (trained.tokenizer) {
    const tokens = await fetchArray("tokens", "uint8", "uint16");
    const documents = arrays["documents"] && (await fetchArray("documents", "uint32"));
    const tokenizer = await tokenizerFromConfig(trained.tokenizer);
    return textDatasetOfTokens({ name, tokens, tokenizer, context: shape[0]!, ...(documents && { documents }) });
  }
  const features = await fetchArray("features", "uint8", "float32");
  const common = { name, features, shape };
  if (trained.outputs)
    return makeRegressionDataset({
      ...common,
      targets: await fetchArray("targets", "float32"),
      outputs: trained.outputs,
    });
  return makeClassificationDataset({
    ...common,
    labels: await fetchArray("labels", "uint32"),
    classes: trained.classes,
  });
}
