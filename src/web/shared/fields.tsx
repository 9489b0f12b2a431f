/*
 * The form fields of all tabs, each with its label.
 */
import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import type { RangeField } from "./address/codec.ts";

interface FieldProps<Value> {
  readonly label: string;
  /** The accessible name, if the label alone is not specific enough: "Units of layer 2". */
  readonly name?: string;
  readonly testId?: string;
  /** "inline" puts the label beside the field; "wide" lets the field take a whole row. */
  readonly layout?: "inline" | "wide";
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

const classOf = (layout = "") => `field ${layout}`.trim();

interface SelectProps<Value extends string | number> extends FieldProps<Value> {
  readonly options: readonly Value[];
  /** The text of each option; by default its value. */
  readonly titles?: Partial<Record<Value, string>>;
}

export function Select<Value extends string | number>({
  label,
  name,
  testId,
  layout,
  options,
  titles,
  value,
  onChange,
}: SelectProps<Value>) {
  return (
    <label class={classOf(layout)}>
      <span>{label}</span>
      <select
        data-testid={testId}
        aria-label={name}
        value={String(value)}
        onChange={({ currentTarget }) => onChange(options[currentTarget.selectedIndex]!)}
      >
        {options.map((option) => (
          <option key={option} value={String(option)}>
            {titles?.[option] ?? String(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Checkbox({ label, testId, value, onChange }: Omit<FieldProps<boolean>, "name" | "layout">) {
  return (
    <label class={classOf("inline")}>
      <input
        type="checkbox"
        data-testid={testId}
        checked={value}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

interface RangeProps extends FieldProps<number> {
  readonly field: RangeField;
}

interface SliderProps extends RangeProps {
  /** What follows the value: "%". */
  readonly unit?: string;
}

export function Slider({ label, name, testId, layout, field, unit, value, onChange }: SliderProps) {
  const { min, max, step, whole } = field;
  const number = whole ? String(value) : value.toFixed(2);
  const text = unit === undefined ? number : `${number} ${unit}`;
  return (
    <label class={classOf(layout)}>
      <span>
        {label} <output>{text}</output>
      </span>
      <input
        type="range"
        data-testid={testId}
        aria-label={name}
        aria-valuetext={text}
        min={min}
        max={max}
        step={step}
        value={value}
        onInput={({ currentTarget }) => onChange(field.parse(currentTarget.value) ?? value)}
      />
    </label>
  );
}

/** A number field. Text that is not allowed stays in the field, with the allowed range below it, and has no effect. */
export function NumberField({ label, name, testId, field, value, onChange }: Omit<RangeProps, "layout">) {
  const id = useId();
  const [rejected, setRejected] = useState<string>();
  const shown = useRef(value);
  // A value from elsewhere, such as a preset, replaces the typed text.
  if (shown.current !== value && rejected !== undefined) setRejected(undefined);
  shown.current = value;
  const take = (text: string) => {
    const number = field.parse(text);
    setRejected(number === undefined ? text : undefined);
    if (number !== undefined) onChange(number);
  };
  const { min, max, step, whole } = field;
  const isWrong = rejected !== undefined;
  return (
    <label class={classOf()}>
      <span>{label}</span>
      <input
        type="number"
        data-testid={testId}
        aria-label={name}
        min={min}
        max={max}
        step={step}
        value={rejected ?? value}
        aria-invalid={isWrong}
        aria-describedby={isWrong ? id : undefined}
        onInput={({ currentTarget }) => take(currentTarget.value)}
      />
      {isWrong && (
        <small id={id} class="out-of-range" role="alert">
          Enter a {whole ? "whole number" : "number"} from {min} to {max}
        </small>
      )}
    </label>
  );
}

interface SegmentsProps<Value extends string | number> {
  readonly legend: string;
  /** The name of the group of radio buttons. */
  readonly name: string;
  readonly options: readonly { readonly value: Value; readonly text: ComponentChildren; readonly testId: string }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** A few choices side by side. */
export function Segments<Value extends string | number>({
  legend,
  name,
  options,
  value,
  onChange,
}: SegmentsProps<Value>) {
  return (
    <fieldset class="segments">
      <legend class="hidden">{legend}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            data-testid={option.testId}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.text}</span>
        </label>
      ))}
    </fieldset>
  );
}
