import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";

export interface NumberFieldProps {
  readonly label: ComponentChildren;
  /** What the label is read as, where it says too little by itself, such as "Width of layer 2". */
  readonly name?: string | undefined;
  readonly testId?: string | undefined;
  readonly value: number;
  readonly range: readonly [number, number];
  /** 1 where only whole numbers are taken. */
  readonly step: number | "any";
  readonly change: (value: number) => void;
}

/** A number. What is typed and is none, or out of range, stays in the field with the range beside it, and changes nothing. */
export function NumberField({ label, name, testId, value, range, step, change }: NumberFieldProps) {
  const id = useId();
  const [typed, setTyped] = useState<string>();
  const shown = useRef(value);
  // A value from elsewhere, such as a preset's, takes the place of what was typed.
  if (shown.current !== value && typed !== undefined) setTyped(undefined);
  shown.current = value;
  const [least, most] = range;
  const take = (text: string) => {
    const number = text.trim() === "" ? NaN : Number(text);
    const fits = number >= least && number <= most && (step !== 1 || Number.isInteger(number));
    setTyped(fits ? undefined : text);
    if (fits) change(number);
  };
  const isWrong = typed !== undefined;
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        data-testid={testId}
        aria-label={name}
        min={least}
        max={most}
        step={step}
        value={typed ?? value}
        aria-invalid={isWrong}
        aria-describedby={isWrong ? id : undefined}
        onInput={({ currentTarget }) => take(currentTarget.value)}
      />
      {isWrong && (
        <small id={id} class="out-of-range" role="alert">
          {step === 1 ? "A whole number" : "A number"}, {least} to {most}
        </small>
      )}
    </label>
  );
}
