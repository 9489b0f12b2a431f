import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, { length }, name, { inputShape: [positions = 1] }) => {
  const x = writer.value;
  const table = writer.parameter(`${name}.weight`);
  if (positions === length) {
    writer.apply("Add", `${name}.sum`, [table]);
    return;
  }
  const used = writer.integers(
    `${name}.positions`,
    Array.from({ length: positions }, (_, position) => position),
  );
  writer.applyTo("Gather", `${name}.used`, [table, used]);
  writer.apply("Add", `${name}.sum`, [x]);
};
