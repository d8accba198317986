/** The turned square of a frame that the landmark network looks at (`edgeau.faces.landmarks.litert.region`). */
import { Picture } from "./picture";
import { Points } from "./points";
import { Border, warpPerspective } from "./warp";

const MARGIN = 1.5, RIGHT_EYE = 33, LEFT_EYE = 263, SAME_FACE = 0.5, MIDDLE = 0.8;

export interface Region {
  /** Centre, pixels of the frame. */
  readonly x: number;
  readonly y: number;
  /** Length in pixels. */
  readonly side: number;
  /** Of its upper side against the frame's, radians, clockwise as the picture is seen. */
  readonly angle: number;
}

type Place = readonly [number, number];

export function regionAround(
  left: number, top: number, right: number, bottom: number, rightEye: Place, leftEye: Place,
): Region {
  const angle = Math.atan2(leftEye[1] - rightEye[1], leftEye[0] - rightEye[0]);
  return { x: (left + right) / 2, y: (top + bottom) / 2, side: MARGIN * Math.max(right - left, bottom - top), angle };
}

export function regionOfLandmarks(points: Points): Region {
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (let at = 0; at < points.length; at += 3) {
    left = Math.min(left, points[at]!);
    right = Math.max(right, points[at]!);
    top = Math.min(top, points[at + 1]!);
    bottom = Math.max(bottom, points[at + 1]!);
  }
  const eye = (index: number): Place => [points[3 * index]!, points[3 * index + 1]!];
  return regionAround(left, top, right, bottom, eye(RIGHT_EYE), eye(LEFT_EYE));
}

export function turnRegion(region: Region, quarterTurns: number): Region {
  return { ...region, angle: remainder(region.angle + (quarterTurns * Math.PI) / 2) };
}

/** Within half a turn to either side. */
function remainder(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/** Row by row, pixels of the region drawn `size` x `size` to pixels of the frame. */
export function toFrame(region: Region, size: number): [number, number, number, number, number, number] {
  const scale = region.side / size, half = region.side / 2;
  const cosine = Math.cos(region.angle), sine = Math.sin(region.angle);
  return [
    scale * cosine, -scale * sine, region.x - half * cosine + half * sine,
    scale * sine, scale * cosine, region.y - half * sine - half * cosine,
  ];
}

/** The region upright, `size` pixels a side; by its four corners, since these decide to which 1/32 pixel places are rounded. */
export function cropRegion(frame: Picture, region: Region, size: number, border: Border): Picture {
  const forward = perspectiveTransform(corners(region), [[0, size], [0, 0], [size, 0], [size, size]]);
  return warpPerspective(frame, inverted(forward), size, border);
}

/** `cv2.boxPoints`, in float32 as there. */
function corners(region: Region): Place[] {
  const f = Math.fround;
  const x = f(region.x), y = f(region.y), side = f(region.side);
  const degrees = f((region.angle * 180) / Math.PI), angle = (degrees * Math.PI) / 180;
  const b = f(f(Math.cos(angle)) * 0.5), a = f(f(Math.sin(angle)) * 0.5);
  const first: Place = [f(f(x - f(a * side)) - f(b * side)), f(f(y + f(b * side)) - f(a * side))];
  const second: Place = [f(f(x + f(a * side)) - f(b * side)), f(f(y - f(b * side)) - f(a * side))];
  return [first, second, [f(f(2 * x) - first[0]), f(f(2 * y) - first[1])], [f(f(2 * x) - second[0]), f(f(2 * y) - second[1])]];
}

/** `cv2.getPerspectiveTransform`: the nine numbers that take four places to four others. */
function perspectiveTransform(from: readonly Place[], to: readonly Place[]): number[] {
  const rows: number[][] = [];
  for (let i = 0; i < 4; i++) {
    const [x, y] = from[i]!, [u] = to[i]!;
    rows.push([x, y, 1, 0, 0, 0, -x * u, -y * u, u]);
  }
  for (let i = 0; i < 4; i++) {
    const [x, y] = from[i]!, [, v] = to[i]!;
    rows.push([0, 0, 0, x, y, 1, -x * v, -y * v, v]);
  }
  return [...solve(rows), 1];
}

/** Gauss's elimination with the largest pivot of each column; each row ends in its right side. */
function solve(rows: number[][]): number[] {
  const count = rows.length;
  for (let i = 0; i < count; i++) {
    let pivot = i;
    for (let j = i + 1; j < count; j++) if (Math.abs(rows[j]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    const row = rows[i]!, inverse = -1 / row[i]!;
    for (let j = i + 1; j < count; j++) {
      const alpha = rows[j]![i]! * inverse;
      for (let k = i + 1; k <= count; k++) rows[j]![k]! += alpha * row[k]!;
    }
  }
  const found = new Array<number>(count).fill(0);
  for (let i = count - 1; i >= 0; i--) {
    let sum = rows[i]![count]!;
    for (let k = i + 1; k < count; k++) sum -= rows[i]![k]! * found[k]!;
    found[i] = sum / rows[i]![i]!;
  }
  return found;
}

function inverted(m: readonly number[]): number[] {
  const [a, b, c, d, e, f, g, h, i] = m as [number, number, number, number, number, number, number, number, number];
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g), k = 1 / determinant;
  return [
    (e * i - f * h) * k, (c * h - b * i) * k, (b * f - c * e) * k,
    (f * g - d * i) * k, (a * i - c * g) * k, (c * d - a * f) * k,
    (d * h - e * g) * k, (b * g - a * h) * k, (a * e - b * d) * k,
  ];
}

/** Shared over joint area of two regions as if neither were turned, 0..1. */
export function overlap(one: Region, other: Region): number {
  const shared = along(one.x, one.side, other.x, other.side) * along(one.y, one.side, other.y, other.side);
  const joint = one.side ** 2 + other.side ** 2 - shared;
  return joint > 0 ? shared / joint : 0;
}

export function isSameFace(one: Region, other: Region): boolean {
  const apart = Math.hypot(one.x - other.x, one.y - other.y);
  return overlap(one, other) > SAME_FACE || apart < (Math.max(one.side, other.side) / (2 * MARGIN)) * MIDDLE;
}

export function isTurnedAlike(one: Region, other: Region): boolean {
  return Math.abs(remainder(one.angle - other.angle)) < Math.PI / 4;
}

function along(middle: number, side: number, otherMiddle: number, otherSide: number): number {
  const low = Math.max(middle - side / 2, otherMiddle - otherSide / 2);
  const high = Math.min(middle + side / 2, otherMiddle + otherSide / 2);
  return Math.max(high - low, 0);
}
