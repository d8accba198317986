/** Which action units of a face cannot be read, and why (`edgeau.faces.quality`). */
import { Box, fivePoints, levelBox } from "./alignment";
import facts from "./facts.json";
import { HeadPose } from "./head-pose";
import { coveredRegions } from "./occlusion";
import { Picture } from "./picture";
import { Points } from "./points";

export type Region = keyof typeof facts.regions;
export type Reason = keyof typeof facts.reasons;

const REGIONS = Object.keys(facts.regions) as Region[];
const LIMITS = facts.limits;
const CLIPPED = 250, FAR = 8;

interface Measures {
  readonly size: number;
  readonly sharpness: number;
  readonly light: number;
  readonly clipped: number;
  readonly visible: Record<Region, number>;
  readonly covered: ReadonlySet<Region>;
}

/** The regions that a label shows in; a free label may show anywhere. */
function regionsOf(label: string): readonly Region[] {
  const number = /^AU(\d+)[LR]?$/.exec(label)?.[1];
  return (number === undefined ? undefined : (facts.auRegions as Record<string, Region[]>)[number]) ?? REGIONS;
}

/** The labels that are refused, with the reason. */
export function refusals(
  labels: readonly string[], frame: Picture, points: Points, box: Box, crop: Picture, pose: HeadPose,
): Map<string, Reason> {
  const found = measure(frame, points, box, crop), refused = new Map<string, Reason>();
  for (const label of labels) {
    const reason = reasonAgainst(found, pose, regionsOf(label));
    if (reason) refused.set(label, reason);
  }
  return refused;
}

function reasonAgainst(found: Measures, pose: HeadPose, regions: readonly Region[]): Reason | undefined {
  if (regions.some((region) => found.visible[region] < LIMITS.minVisible)) return "out of frame";
  if (found.size < LIMITS.minSize) return "size";
  if (Math.abs(pose.yaw) > LIMITS.maxYaw || Math.abs(pose.pitch) > LIMITS.maxPitch) return "pose";
  const noisy = found.light < LIMITS.minLightInNoise && found.sharpness > LIMITS.maxGrain;
  if (found.light < LIMITS.minLight || noisy) return "dark";
  if (found.clipped > LIMITS.maxClipped) return "bright";
  if (regions.some((region) => found.covered.has(region))) return "occluded";
  return found.sharpness < LIMITS.minSharpness ? "blur" : undefined;
}

function measure(frame: Picture, points: Points, box: Box, crop: Picture): Measures {
  const level = levelBox(fivePoints(points));
  const size = level ? Math.max(level.across[1] - level.across[0], level.down[1] - level.down[0]) : 0;
  const left = Math.floor(crop.width / 4), top = Math.floor(crop.height / 4);
  const width = crop.width - 2 * left, height = crop.height - 2 * top, grey = new Uint8Array(width * height);
  let sum = 0, clipped = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * ((top + y) * crop.width + left + x), [red, green, blue] = [crop.data[at]!, crop.data[at + 1]!, crop.data[at + 2]!];
      const value = (red * 9798 + green * 19235 + blue * 3735 + (1 << 14)) >> 15; // OpenCV's weights
      grey[y * width + x] = value;
      sum += value;
      if (Math.max(red, green, blue) >= CLIPPED) clipped++;
    }
  }
  return {
    size,
    sharpness: sharpness(grey, width, height),
    light: sum / grey.length,
    clipped: clipped / grey.length,
    visible: visible(frame, points, box),
    covered: coveredRegions(frame, points),
  };
}

/** Mean difference of neighbours over that of pixels eight apart, in the blurrier direction. */
function sharpness(grey: Uint8Array, width: number, height: number): number {
  const difference = (dx: number, dy: number): number => {
    let sum = 0;
    for (let y = 0; y < height - dy; y++) {
      for (let x = 0; x < width - dx; x++) sum += Math.abs(grey[(y + dy) * width + x + dx]! - grey[y * width + x]!);
    }
    return sum / ((height - dy) * (width - dx));
  };
  const share = (near: number, far: number): number => (far ? near / far : 0);
  return Math.min(share(difference(0, 1), difference(0, FAR)), share(difference(1, 0), difference(FAR, 0)));
}

/** The share of each region's points that lie inside the frame. */
function visible(frame: Picture, points: Points, box: Box): Record<Region, number> {
  const right = frame.width - 1, bottom = frame.height - 1;
  const whole = box.left >= 0 && box.top >= 0 && box.left + box.width <= right && box.top + box.height <= bottom;
  const share = (indices: readonly number[]): number => {
    const inside = indices.filter((index) => {
      const x = points[3 * index]!, y = points[3 * index + 1]!;
      return x >= 0 && y >= 0 && x <= right && y <= bottom;
    });
    return inside.length / indices.length;
  };
  return Object.fromEntries(REGIONS.map((region) => [region, whole ? 1 : share(facts.regions[region])])) as Record<Region, number>;
}
