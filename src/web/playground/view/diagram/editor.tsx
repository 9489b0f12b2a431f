/*
 * A small form beside a unit or an edge, in which its bias or weight is set.
 */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { range } from "../../../shared/address/codec.ts";
import { NumberField, Select } from "../../../shared/fields.tsx";
import type { ParameterPlace } from "../../contract.ts";
import { playgroundCommands } from "../../state/index.ts";
import { numberText } from "../text.ts";
import { downOf, shareAcross, type Layout } from "./layout.ts";
import {
  frameOf,
  inputCount,
  ownerOf,
  parameterExists,
  parameterTitle,
  sourceOf,
  unitName,
  valueAt,
} from "./network.ts";
import { edited, unitElementId, type Edited } from "./pointed.ts";

const values = range(-100, 100, "any", 0);

/** The decimals of the value in the field. */
const DECIMALS = 3;

/** The editor of the parameter that the visitor clicked; nothing if there is none. */
export function ParameterEditor({ layout }: { layout: Layout }) {
  const { value } = edited;
  const { network } = layout;
  if (value?.mode !== network.mode || !parameterExists(network, value.place)) return null;
  return <Editor layout={layout} {...value} />;
}

interface EditorProps extends Edited {
  readonly layout: Layout;
}

function Editor({ layout, ...target }: EditorProps) {
  const { place } = target;
  const owner = unitName(layout.network, ownerOf(place));
  const close = () => {
    edited.value = undefined;
    document.getElementById(unitElementId(ownerOf(place)))?.focus();
  };
  return (
    <div
      role="group"
      class="playground-editor"
      aria-label={`A weight or the bias of ${owner}`}
      style={placeOf(layout, place)}
      onKeyDown={({ key }) => key === "Escape" && close()}
    >
      <div class="row spread">
        <strong>{owner}</strong>
        <button type="button" class="plain" aria-label="Close" data-testid="playground-editor-close" onClick={close}>
          ✕
        </button>
      </div>
      <ParameterChoice layout={layout} place={place} />
      <ParameterValue key={`${place.layer}/${place.unit}/${place.input}`} layout={layout} {...target} />
    </div>
  );
}

function ParameterValue({ layout: { network }, place, takesFocus }: EditorProps) {
  const form = useRef<HTMLFormElement>(null);
  const now = valueAt(network, frameOf(network.mode), place);
  const draft = useSignal(Number((now ?? 0).toFixed(DECIMALS)));
  useLayoutEffect(() => {
    if (takesFocus) form.current!.querySelector("input")!.select();
  }, []);
  return (
    <form
      ref={form}
      class="row playground-editor-value"
      onSubmit={(event) => {
        event.preventDefault();
        playgroundCommands.setParameter(place, draft.value);
      }}
    >
      <NumberField
        label={`Value (now ${numberText(now ?? NaN)})`}
        testId="playground-parameter-value"
        field={values}
        value={draft.value}
        onChange={(next) => (draft.value = next)}
      />
      <button data-testid="playground-set-parameter">Set</button>
    </form>
  );
}

/** The bias and the weights of a unit. */
function ParameterChoice({
  layout: { network },
  place: { layer, unit, input },
}: Pick<EditorProps, "layout" | "place">) {
  const places: ParameterPlace[] = [
    { layer, unit },
    ...Array.from({ length: inputCount(network, layer + 1) }, (_, index) => ({ layer, unit, input: index })),
  ];
  const keys = places.map(({ input: index = -1 }) => index);
  return (
    <Select
      label="Parameter"
      testId="playground-parameter"
      options={keys}
      titles={Object.fromEntries(places.map((each, index) => [keys[index]!, parameterTitle(network, each)]))}
      value={input ?? -1}
      onChange={(key) => (edited.value = { mode: network.mode, place: places[keys.indexOf(key)]!, takesFocus: false })}
    />
  );
}

/** Below a unit whose bias is edited, or at the middle of an edge, within the diagram's width. */
function placeOf(layout: Layout, place: ParameterPlace) {
  const owner = ownerOf(place);
  const { layer, input } = place;
  const source = input === undefined ? undefined : sourceOf(layout.network, layer, input);
  const shares = [owner, ...(source ? [source] : [])].map(({ column }) => shareAcross(layout, column));
  const downs = [owner, ...(source ? [source] : [])].map((id) => downOf(layout, id));
  const mean = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0) / numbers.length;
  return {
    "--across": `${100 * mean(shares)}%`,
    top: `${mean(downs) + (source ? 12 : layout.side / 2 + 4)}px`,
  };
}
