/** A face cut out as its network was trained on it (`edgeau.faces.alignment`). */
import { PageError } from "./errors";
import facts from "./facts.json";
import { Picture } from "./picture";
import { Points } from "./points";
import { Affine, warpCrop } from "./warp";

export type AlignmentRecord =
  | { method: "five-point-box"; size: number; canvas: number; margin: number; border: number }
  | { method: "arcface-template"; size: number; border: number }
  | { method: "five-points"; points: [number, number][]; height: number; width: number; border: number }
  | { method: "box"; margin: number; height: number; width: number; border: number };

export interface Alignment {
  readonly width: number;
  readonly height: number;
  /** Undefined where the landmarks coincide and give no scale. */
  crop(frame: Picture, points: Points): Picture | undefined;
}

type Place = [number, number];

export function alignmentOf(record: AlignmentRecord): Alignment {
  const width = "size" in record ? record.size : record.width, height = "size" in record ? record.size : record.height;
  const matrix = matrixOf(record, width, height);
  return {
    width, height,
    crop(frame, points) {
      const affine = matrix(points);
      return affine && warpCrop(frame, affine, width, height, record.border);
    },
  };
}

function matrixOf(record: AlignmentRecord, width: number, height: number): (points: Points) => Affine | undefined {
  switch (record.method) {
    case "five-point-box": {
      const inset = (record.canvas - record.size) / 2;
      return (points) => {
        const affine = level(fivePoints(points), record.canvas, record.margin);
        return affine && [affine[0], affine[1], affine[2] - inset, affine[3], affine[4], affine[5] - inset];
      };
    }
    case "arcface-template": {
      const template = facts.arcfacePoints.map((place): Place => [place[0]! * (record.size / 112), place[1]! * (record.size / 112)]);
      return (points) => leastSquares(fivePoints(points), template);
    }
    case "five-points":
      return (points) => leastSquares(fivePoints(points), record.points);
    case "box":
      return (points) => box(points, record.margin, width, height);
    default:
      throw new PageError(
        `This page has no alignment ${JSON.stringify((record as { method: unknown }).method)}, which the bundle's network was trained with.`,
      );
  }
}

/** Eye centres, nose tip and mouth corners, from the left of the picture. */
export function fivePoints(points: Points): Place[] {
  return facts.fivePoints.map((group): Place => {
    let x = 0, y = 0;
    for (const index of group) {
      x += points[3 * index]! / group.length;
      y += points[3 * index + 1]! / group.length;
    }
    return [x, y];
  });
}

/** The five points with the eyes level: their direction, and the extent of their box. */
export function levelBox(points: Place[]): { cos: number; sin: number; across: [number, number]; down: [number, number] } | undefined {
  const [left, right] = points as [Place, Place];
  const length = Math.hypot(right[0] - left[0], right[1] - left[1]);
  if (!(length > 0)) return undefined;
  const cos = (right[0] - left[0]) / length, sin = (right[1] - left[1]) / length;
  const across = points.map(([x, y]) => cos * x + sin * y), down = points.map(([x, y]) => cos * y - sin * x);
  return { cos, sin, across: [Math.min(...across), Math.max(...across)], down: [Math.min(...down), Math.max(...down)] };
}

function level(points: Place[], canvas: number, margin: number): Affine | undefined {
  const box = levelBox(points);
  if (!box) return undefined;
  const { cos, sin, across, down } = box;
  const half = 0.5 * margin * Math.max(across[1] - across[0], down[1] - down[0]), scale = (canvas - 1) / (2 * half);
  const shiftX = half - (across[0] + across[1]) / 2, shiftY = half - (down[0] + down[1]) / 2;
  return [scale * cos, scale * sin, scale * shiftX, -scale * sin, scale * cos, scale * shiftY];
}

/** The similarity that moves five points nearest to a template. */
function leastSquares(points: Place[], template: readonly Place[]): Affine | undefined {
  const mean = (places: readonly Place[]): Place =>
    [places.reduce((sum, place) => sum + place[0], 0) / places.length, places.reduce((sum, place) => sum + place[1], 0) / places.length];
  const centre = mean(points), target = mean(template);
  let spread = 0, along = 0, turn = 0;
  points.forEach(([px, py], at) => {
    const x = px - centre[0], y = py - centre[1], u = template[at]![0] - target[0], v = template[at]![1] - target[1];
    spread += x * x + y * y;
    along += x * u + y * v;
    turn += x * v - y * u;
  });
  if (!(spread > 0)) return undefined;
  const a = along / spread, b = turn / spread;
  return [a, -b, target[0] - a * centre[0] + b * centre[1], b, a, target[1] - b * centre[0] - a * centre[1]];
}

/** The upright box around all landmarks with a margin, grown in one direction to the shape of the crop. */
function box(points: Points, margin: number, width: number, height: number): Affine | undefined {
  const { left, top, width: across, height: down } = boxOf(points), grown = 1 + 2 * margin;
  if (!(Math.max(across, down) > 0)) return undefined;
  const scale = Math.min(width / Math.max(across * grown, 1e-9), height / Math.max(down * grown, 1e-9));
  return [
    scale, 0, (width - 1) / 2 - (scale * (2 * left + across)) / 2,
    0, scale, (height - 1) / 2 - (scale * (2 * top + down)) / 2,
  ];
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function boxOf(points: Points): Box {
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (let at = 0; at < points.length; at += 3) {
    left = Math.min(left, points[at]!);
    right = Math.max(right, points[at]!);
    top = Math.min(top, points[at + 1]!);
    bottom = Math.max(bottom, points[at + 1]!);
  }
  return { left, top, width: right - left, height: bottom - top };
}
