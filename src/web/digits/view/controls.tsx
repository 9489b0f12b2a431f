/*
 * The buttons of the Digits tab.
 */
import { FileButton } from "../../shared/file-button.tsx";
import { RunButtons } from "../../shared/run-view.tsx";
import { ShareButton } from "../../shared/share.tsx";
import {
  draftFaults,
  finished,
  idle,
  loadFile,
  prepared,
  reset,
  running,
  saveFile,
  stepOnce,
  toggleRunning,
} from "../state/index.ts";
import { ActivityLine } from "./activity.tsx";

export function Toolbar() {
  const ready = prepared.value !== undefined;
  return (
    <div class="toolbar">
      <RunButtons
        prefix=""
        running={running.value}
        idle={idle.value}
        commands={{ toggle: toggleRunning, step: stepOnce, reset }}
        startText={finished.value ? "Train again" : "Start"}
        disabled={{
          start: !ready,
          step: !ready || running.value || finished.value,
          reset: !ready || draftFaults.value.length > 0,
        }}
      />
      <Files ready={ready} />
      <ActivityLine />
    </div>
  );
}

function Files({ ready }: { ready: boolean }) {
  return (
    <div class="row files">
      <button type="button" data-testid="save" disabled={!ready} onClick={saveFile}>
        Save
      </button>
      <FileButton
        label="Load"
        testId="load"
        accept=".safetensors"
        disabled={!ready}
        onFile={(file) => void loadFile(file)}
      />
      <ShareButton testId="share" />
    </div>
  );
}
