/*
 * What the network learns: a task, or the visitor's own text.
 */
import { Select } from "../../shared/fields.tsx";
import { FileButton } from "../../shared/file-button.tsx";
import { networkFields, TEXT_LIMITS, type RunSettings } from "../settings.ts";
import { ownText, settings, takeFile, takeText, textForm } from "../state/index.ts";

const dataTitles = { addition: "Addition", sorting: "Sorting", reversing: "Reversing", own: "Your own text" };

function chooseData(data: RunSettings["data"]): void {
  const isForm = data === "own" && ownText.value === undefined;
  textForm.value = { open: isForm };
  if (!isForm) settings.value = { ...settings.value, data };
}

export function DataChoice() {
  return (
    <Select
      label="Learns (a change restarts)"
      testId="text-data"
      options={networkFields.data.values}
      titles={dataTitles}
      value={textForm.value.open ? "own" : settings.value.data}
      onChange={chooseData}
    />
  );
}

/** Opens the form again. */
export function AnotherText() {
  return (
    <button type="button" data-testid="text-change" onClick={() => (textForm.value = { open: true })}>
      Another text
    </button>
  );
}

/** The form for the visitor's own text, and why the last one was refused. */
export function TextForm() {
  const { fault } = textForm.value;
  return (
    <form
      class="text-form"
      aria-label="Your own text"
      onSubmit={(event) => {
        event.preventDefault();
        takeText(String(new FormData(event.currentTarget).get("text")));
      }}
    >
      <label class="field">
        <span>
          Paste a text of {TEXT_LIMITS.least.toLocaleString("en")} to {TEXT_LIMITS.most.toLocaleString("en")}{" "}
          characters, or drop a file anywhere on this page. It stays in this browser.
        </span>
        <textarea
          data-testid="text-own"
          rows={5}
          name="text"
          defaultValue={ownText.value ?? ""}
          aria-invalid={fault !== undefined}
          aria-describedby="text-own-fault"
        />
      </label>
      <p id="text-own-fault" class="out-of-range" role="alert" data-testid="text-own-fault">
        {fault}
      </p>
      <div class="row">
        <button type="submit" class="primary" data-testid="text-learn">
          Learn this text
        </button>
        <FileButton
          label="Open a file"
          testId="text-file"
          accept=".txt,.md,.csv,.json,.html,text/*"
          onFile={(file) => void takeFile(file)}
        />
        <button type="button" data-testid="text-cancel" onClick={() => (textForm.value = { open: false })}>
          Cancel
        </button>
      </div>
    </form>
  );
}
