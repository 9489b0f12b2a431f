/*
 * A button that lets the visitor choose a file.
 */
interface FileButtonProps {
  readonly label: string;
  readonly testId: string;
  /** The files that the browser offers, such as ".zip". */
  readonly accept: string;
  readonly disabled?: boolean;
  /** Called for each choice, also if it is the same file again. */
  readonly onFile: (file: File) => void;
}

export const FileButton = ({ label, testId, accept, disabled = false, onFile }: FileButtonProps) => (
  <label class={disabled ? "button disabled" : "button"}>
    {label}
    <input
      type="file"
      class="hidden"
      data-testid={testId}
      accept={accept}
      disabled={disabled}
      onChange={({ currentTarget }) => {
        const file = currentTarget.files?.[0];
        currentTarget.value = "";
        if (file) onFile(file);
      }}
    />
  </label>
);
