/* The kinds of controls that the tab is made of, each with its label and test id. */
import type { ComponentChildren } from "preact";
import { NumberField } from "./number-field.tsx";
import type { ChoiceField, RangeField } from "./address/codec.ts";

interface Labelled {
  readonly label: string;
  /** Follows "playground-". */
  readonly testId: string;
}

interface SelectProps<Value extends string | number> extends Labelled {
  readonly field: ChoiceField<Value>;
  readonly value: Value;
  /** What a value is called; its own text by default. */
  readonly names?: Partial<Record<Value, string>>;
  readonly onChange: (value: Value) => void;
}

export function Select<Value extends string | number>({ label, testId, field, value, names, onChange }: SelectProps<Value>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        data-testid={`playground-${testId}`}
        value={String(value)}
        onChange={({ currentTarget }) => onChange(field.parse(currentTarget.value) ?? field.fallback)}
      >
        {field.values.map((option) => (
          <option key={option} value={String(option)}>
            {names?.[option] ?? String(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface RangeProps extends Labelled {
  readonly field: RangeField;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

export function Slider({ label, testId, field, value, onChange }: RangeProps) {
  const { min, max, step } = field;
  const shown = Number.isInteger(step) ? String(value) : value.toFixed(2);
  return (
    <label class="field">
      <span>
        {label} <output>{shown}</output>
      </span>
      <input
        type="range"
        data-testid={`playground-${testId}`}
        min={min}
        max={max}
        step={step}
        value={value}
        onInput={({ currentTarget }) => onChange(field.parse(currentTarget.value) ?? value)}
      />
    </label>
  );
}

/** A number to be typed; what is out of range is not taken. */
export function NumberInput({ label, testId, field, value, onChange }: RangeProps) {
  const { min, max, step } = field;
  const whole = Number.isInteger(step) ? 1 : "any";
  return <NumberField label={label} testId={`playground-${testId}`} range={[min, max]} step={whole} value={value} change={onChange} />;
}

interface RadioProps<Value extends string | number> {
  readonly legend: string;
  readonly name: string;
  readonly options: readonly { readonly value: Value; readonly text: ComponentChildren; readonly testId: string }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** A few choices side by side. */
export function Segments<Value extends string | number>({ legend, name, options, value, onChange }: RadioProps<Value>) {
  return (
    <fieldset class="playground-segments">
      <legend class="hidden">{legend}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={`playground-${name}`}
            data-testid={`playground-${option.testId}`}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.text}</span>
        </label>
      ))}
    </fieldset>
  );
}
