/*
 * Fields of the editors, each with its label.
 */
import { useState } from "preact/hooks";

interface FieldProps {
  label: string;
  /** Said to who hears the label only, such as "of layer 2". */
  of?: string;
  testId?: string;
}

const named = ({ label, of }: FieldProps) => ({ "aria-label": of ? `${label} ${of}` : undefined });

/** One of several names. */
export function Choice<Name extends string>(
  props: FieldProps & { wide?: boolean; value: Name; options: Readonly<Record<Name, string>>; choose: (name: Name) => void },
) {
  const { label, wide, value, options, choose, testId } = props;
  return (
    <label class={wide ? "field wide" : "field"}>
      {label}
      <select data-testid={testId} {...named(props)} value={value} onChange={({ currentTarget }) => choose(currentTarget.value as Name)}>
        {(Object.entries(options) as [Name, string][]).map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A number; what is typed and is none stays in the field, marked, and changes nothing. */
export function NumberField(
  props: FieldProps & { value: number; range: readonly [number, number]; step: number | "any"; change: (value: number) => void },
) {
  const { label, value, range, step, change, testId } = props;
  const [typed, setTyped] = useState<string>();
  const take = (text: string) => {
    const number = text.trim() === "" ? NaN : Number(text);
    const fits = number >= range[0] && number <= range[1] && (step !== 1 || Number.isInteger(number));
    setTyped(fits ? undefined : text);
    if (fits) change(number);
  };
  return (
    <label class="field">
      {label}
      <input
        type="number"
        data-testid={testId}
        {...named(props)}
        min={range[0]}
        max={range[1]}
        step={step}
        value={typed ?? value}
        aria-invalid={typed !== undefined}
        onInput={({ currentTarget }) => take(currentTarget.value)}
        onBlur={() => setTyped(undefined)}
      />
    </label>
  );
}
