/*
 * The controls of the settings that several tabs have, so that they look and behave the same.
 */
import type { LossName } from "../../index.ts";
import type { RangeField } from "./address/codec.ts";
import { NumberField, Select } from "./fields.tsx";
import { marksOf, nearestMark } from "./marks.ts";
import type { optimizerNames } from "./training-fields.ts";

interface ControlProps<Value> {
  readonly testId: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

interface ScaleProps extends ControlProps<number> {
  readonly field: RangeField;
}

/** A number with a logarithmic slider below it. The slider has round numbers; the field takes any that is allowed. */
function Scale({ label, name = label, ...props }: ScaleProps & { label: string; name?: string }) {
  const { testId, field, value, onChange } = props;
  const marks = marksOf(field);
  const place = nearestMark(marks, value);
  return (
    <div class="field scale">
      <NumberField label={label} name={name} {...props} />
      <input
        type="range"
        data-testid={`${testId}-slider`}
        aria-label={`${name}, on a logarithmic scale`}
        aria-valuetext={String(marks[place])}
        min={0}
        max={marks.length - 1}
        step={1}
        value={place}
        onInput={({ currentTarget }) => onChange(marks[Number(currentTarget.value)]!)}
      />
    </div>
  );
}

export const LearningRate = (props: ScaleProps) => <Scale label="Learning rate" {...props} />;

export const BatchSize = (props: ScaleProps) => <Scale label="Batch size" {...props} />;

/** The units of a hidden layer. */
export const Units = (props: ScaleProps & { name: string }) => <Scale label="Units" {...props} />;

export const Seed = (props: ScaleProps) => <NumberField label="Seed" {...props} />;

interface NameProps<Name extends string> extends ControlProps<Name> {
  readonly options: readonly Name[];
}

export const optimizerTitles: Record<(typeof optimizerNames)[number], string> = {
  sgd: "SGD",
  momentum: "Momentum",
  nesterov: "Nesterov",
  rmsprop: "RMSprop",
  adam: "Adam",
  adamW: "AdamW",
};

export const Optimizer = <Name extends keyof typeof optimizerTitles>(props: NameProps<Name>) => (
  <Select<Name> label="Optimizer" titles={optimizerTitles as Partial<Record<Name, string>>} {...props} />
);

export const lossTitles: Partial<Record<LossName, string>> = {
  softmaxCrossEntropy: "Softmax cross-entropy",
  sigmoidBinaryCrossEntropy: "Binary cross-entropy",
  meanSquaredError: "Mean squared error",
  halfSumOfSquares: "Half sum of squares",
};

export const Loss = <Name extends LossName>(props: NameProps<Name>) => (
  <Select<Name> label="Loss" titles={lossTitles as Partial<Record<Name, string>>} {...props} />
);

/** The activation of a hidden layer. */
export const Activation = <Name extends string>(props: NameProps<Name> & { name?: string }) => (
  <Select<Name> label="Activation" {...props} />
);
