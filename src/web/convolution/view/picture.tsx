/*
 * Small pictures of numbers: feature maps, filters and images.
 */
import { computed } from "@preact/signals";
import { useRef } from "preact/hooks";
import { divergingColors, drawMosaic, inkColors } from "../../digits/view/mosaic.ts";
import { scheme } from "../../shared/colors.ts";
import { usePainting } from "../../shared/painting.ts";
import type { Area } from "../stages.ts";

/** The colors of the current theme. */
const ramps = computed(() => ({ theme: scheme.value, ink: inkColors(), signed: divergingColors() }));

/** Square numbers to draw, row by row. */
export interface Values {
  readonly side: number;
  /** The number at an index, as a share: 0 … 1 for ink, −1 … 1 for signed numbers. */
  readonly at: (index: number) => number;
}

interface PictureProps {
  /** "signed" draws negative numbers in orange and positive ones in blue; "ink" draws 0 … 1 from the background to the text. */
  readonly colors: "ink" | "signed";
  /** The numbers; undefined if there are none yet. It is called again when the signals that it reads change. */
  readonly values: () => Values | undefined;
  /** Squares to outline. It is called again when the signals that it reads change. */
  readonly outlines?: () => readonly Area[];
  readonly side: number;
  readonly class?: string;
  readonly testId?: string;
  /** A description. Without one, screen readers skip the picture. */
  readonly label?: string;
  /** The number of the feature map, as the attribute data-map. */
  readonly map?: number;
}

export function SmallPicture(props: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const draw = () => {
    const { colors, values } = latest.current;
    const ramp = ramps.value[colors];
    const numbers = values();
    if (!numbers || !canvas.current) return;
    const index = colors === "ink" ? (share: number) => Math.round(255 * share) : (share: number) => 128 + 127 * share;
    drawMosaic(canvas.current, { side: numbers.side, columns: 1, count: 1 }, ramp, (place) =>
      Math.round(index(numbers.at(place))),
    );
  };
  usePainting(draw);
  const { side, outlines, label, testId, map } = props;
  return (
    <div class={`convolution-picture ${props.class ?? ""}`} data-testid={testId} data-map={map}>
      <canvas
        ref={canvas}
        width={side}
        height={side}
        {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
      />
      {outlines && <Outlines side={side} areas={outlines} />}
    </div>
  );
}

function Outlines({ side, areas }: { side: number; areas: () => readonly Area[] }) {
  const share = (pixels: number) => `${(100 * pixels) / side}%`;
  return (
    <>
      {areas().map((area) => (
        <span
          key={`${area.row} ${area.column}`}
          class="convolution-outline"
          style={{
            left: share(area.column),
            top: share(area.row),
            width: share(area.side),
            height: share(area.side),
          }}
        />
      ))}
    </>
  );
}
