/*
 * Fields of the editors, each with its label.
 */
import { NumberField, type NumberFieldProps } from "../../shared/number-field.tsx";

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

/** A number of the settings. */
export function SettingField({ of, label, testId, ...props }: FieldProps & Pick<NumberFieldProps, "value" | "range" | "step" | "change">) {
  return <NumberField label={label} name={of && `${label} ${of}`} testId={testId} {...props} />;
}
