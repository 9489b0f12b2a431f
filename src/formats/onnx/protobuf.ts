/*
 * The ONNX messages that wgrad writes, with only the fields that it sets (onnx.proto of github.com/onnx/onnx, where all
 * other fields are optional). They are described here instead of generated code, so that only the encoder comes from a
 * package.
 */
import { create, createFileRegistry, toBinary, type DescMessage } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** A tensor with its values. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly bigint[];
  readonly dataType: number;
  /** Little-endian, row-major. */
  readonly rawData: Uint8Array;
}

export interface OnnxAttribute {
  readonly name: string;
  /** Which of the following is set: 1 for f, 2 for i, 3 for s, 7 for ints. */
  readonly type: number;
  readonly f?: number;
  readonly i?: bigint;
  /** UTF-8. */
  readonly s?: Uint8Array;
  readonly ints?: readonly bigint[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly docString?: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly { readonly dimValue?: bigint; readonly dimParam?: string }[] };
    };
  };
}

export interface OnnxModel {
  readonly irVersion: bigint;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly docString: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: bigint }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly OnnxNode[];
    readonly initializer: readonly OnnxTensor[];
    readonly input: readonly OnnxValueInfo[];
    readonly output: readonly OnnxValueInfo[];
  };
}

/** The number and the type of each field: a protobuf type or the name of a message, with "[]" for repeated fields. */
type Fields = Readonly<Record<string, readonly [number: number, type: string]>>;

const messages: Readonly<Record<string, Fields>> = {
  ModelProto: {
    ir_version: [1, "int64"],
    producer_name: [2, "string"],
    producer_version: [3, "string"],
    doc_string: [6, "string"],
    graph: [7, "GraphProto"],
    opset_import: [8, "OperatorSetIdProto[]"],
    metadata_props: [14, "StringStringEntryProto[]"],
  },
  OperatorSetIdProto: { domain: [1, "string"], version: [2, "int64"] },
  StringStringEntryProto: { key: [1, "string"], value: [2, "string"] },
  GraphProto: {
    node: [1, "NodeProto[]"],
    name: [2, "string"],
    initializer: [5, "TensorProto[]"],
    input: [11, "ValueInfoProto[]"],
    output: [12, "ValueInfoProto[]"],
  },
  NodeProto: {
    input: [1, "string[]"],
    output: [2, "string[]"],
    name: [3, "string"],
    op_type: [4, "string"],
    attribute: [5, "AttributeProto[]"],
  },
  AttributeProto: {
    name: [1, "string"],
    f: [2, "float"],
    i: [3, "int64"],
    s: [4, "bytes"],
    ints: [8, "int64[]"],
    type: [20, "int32"],
  },
  ValueInfoProto: { name: [1, "string"], type: [2, "TypeProto"], doc_string: [3, "string"] },
  TypeProto: { tensor_type: [1, "TensorTypeProto"] },
  TensorTypeProto: { elem_type: [1, "int32"], shape: [2, "TensorShapeProto"] },
  TensorShapeProto: { dim: [1, "DimensionProto[]"] },
  DimensionProto: { dim_value: [1, "int64"], dim_param: [2, "string"] },
  TensorProto: { dims: [1, "int64[]"], data_type: [2, "int32"], name: [8, "string"], raw_data: [9, "bytes"] },
};

const scalars: Readonly<Record<string, Type>> = {
  int32: Type.INT32,
  int64: Type.INT64,
  float: Type.FLOAT,
  string: Type.STRING,
  bytes: Type.BYTES,
};

function field([name, [number, type]]: [string, Fields[string]]) {
  const element = type.replace("[]", "");
  const label = type === element ? Label.OPTIONAL : Label.REPEATED;
  const scalar = scalars[element];
  return scalar === undefined
    ? { name, number, label, type: Type.MESSAGE, typeName: `.onnx.${element}` }
    : { name, number, label, type: scalar };
}

function modelMessage(): DescMessage {
  const messageType = Object.entries(messages).map(([name, fields]) => ({
    name,
    field: Object.entries(fields).map(field),
  }));
  // ONNX is defined in proto2, in which fields that are set to 0 are written.
  const file = create(FileDescriptorProtoSchema, {
    name: "onnx.proto",
    package: "onnx",
    syntax: "proto2",
    messageType,
  });
  return createFileRegistry(file, () => undefined).getMessage("onnx.ModelProto")!;
}

/** The bytes of an ONNX file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const message = modelMessage();
  return toBinary(message, create(message, model as unknown as Record<string, unknown>));
}
