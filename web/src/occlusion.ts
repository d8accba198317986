/** Parts of a face that something lies over, by the colour of single points (`edgeau.faces.quality.occlusion`). */
import facts from "./facts.json";
import { Picture } from "./picture";
import { Points } from "./points";
import type { Region } from "./quality";

type Patch = keyof typeof facts.patches;

/** Logarithms of red over green, of blue over green, and of brightness. */
type Colour = readonly [number, number, number];

const SAME = 0.1, SAME_LIGHT = 0.15, OTHER = 0.15, OTHER_LIGHT = 0.7, CLEARLY_OTHER = 0.5, HAIR = 0.6, BLACK = 0.3, DARK = 8;
const OVEREXPOSED = 250, MOST_OVEREXPOSED = 0.3;
const LOGARITHMS = Float32Array.from({ length: 256 }, (_, value) => Math.log(value + DARK));
const NONE: ReadonlySet<Region> = new Set();

export function coveredRegions(frame: Picture, points: Points): ReadonlySet<Region> {
  const colours = {} as Record<Patch, Colour[]>, overexposed = {} as Record<Patch, number>;
  for (const patch of Object.keys(facts.patches) as Patch[]) {
    const pixels = facts.patches[patch].map((index) => pixelAt(frame, points[3 * index]!, points[3 * index + 1]!));
    colours[patch] = pixels.map(([red, green, blue]): Colour => {
      const light = LOGARITHMS[green]!;
      return [LOGARITHMS[red]! - light, LOGARITHMS[blue]! - light, light];
    });
    overexposed[patch] = pixels.filter((pixel) => Math.max(...pixel) >= OVEREXPOSED).length / pixels.length;
  }
  const of = (...patches: Patch[]): Colour => median(patches.flatMap((patch) => colours[patch]));
  const below = of("cheeks", "nose", "around mouth"), brows = of("brows");
  const darker = of("eyes")[2] - Math.min(below[2], brows[2]);
  if (darker < Math.log(BLACK)) return new Set(["eyes"]);
  if (Math.max(overexposed.brows, overexposed.eyes) >= MOST_OVEREXPOSED) return NONE;
  const upper = of("brows", "eyes", "cheeks");
  if (mouthIsCovered(of("around mouth"), of("lips"), upper)) {
    return distance(of("nose"), upper) > OTHER ? new Set(["mouth", "nose"]) : new Set(["mouth"]);
  }
  return distance(brows, below) > CLEARLY_OTHER && brows[2] - below[2] > Math.log(HAIR) ? new Set(["brows"]) : NONE;
}

function mouthIsCovered(around: Colour, lips: Colour, upper: Colour): boolean {
  if (distance(around, lips) > SAME || Math.abs(around[2] - lips[2]) > SAME_LIGHT) return false;
  return distance(around, upper) > OTHER || Math.abs(around[2] - upper[2]) > OTHER_LIGHT;
}

function distance(one: Colour, other: Colour): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}

/** Each value for itself. */
function median(colours: readonly Colour[]): Colour {
  const middle = (axis: number): number => colours.map((colour) => colour[axis]!).sort((a, b) => a - b)[Math.floor(colours.length / 2)]!;
  return [middle(0), middle(1), middle(2)];
}

/** Points outside are taken from the frame's edge. */
function pixelAt(frame: Picture, x: number, y: number): [number, number, number] {
  const column = Math.trunc(Math.min(Math.max(x, 0), frame.width - 1)), row = Math.trunc(Math.min(Math.max(y, 0), frame.height - 1));
  const at = 4 * (row * frame.width + column);
  return [frame.data[at]!, frame.data[at + 1]!, frame.data[at + 2]!];
}
