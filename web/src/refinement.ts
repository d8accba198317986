/** The second look that MediaPipe's refined face mesh takes at lips and eyes (`edgeau.faces.landmarks.litert.refinement`). */
import { Network } from "./engine";
import facts from "./facts.json";
import { Points } from "./points";
import { partOf } from "./tflite";

export const FEATURES = "p_re_lu_3";

const MESH = 468, ALL = 478, SIDE = 48, CHANNELS = 32, STRIDE = 4, MAP = 16, MARGIN = 1.5;
const MAPS = ["transform_tensor_bilinear_v2", "transform_tensor_bilinear_v2_1", "transform_tensor_bilinear_v2_2"];
const OUTPUTS = ["conv_lips", "conv_left_eye", "conv_right_eye", "conv_left_iris", "conv_right_iris"];
// MediaPipe names eyes by the side of the picture that they are on.
const PARTS = [facts.refined.lips, facts.refined.rightEye, facts.refined.leftEye] as const;

type Part = (typeof PARTS)[number];
/** Row by row, pixels of a part's map to pixels of the features. */
type Matrix = readonly [number, number, number, number, number, number];

export class Refinement {
  private constructor(private readonly network: Network) {}

  static async open(content: Uint8Array, file: string): Promise<Refinement> {
    return new Refinement(await Network.open(partOf(content, MAPS, OUTPUTS, file), file, { inputs: MAPS, outputs: OUTPUTS }));
  }

  /** All points of the refined mesh from those of the first stage and its features `(48, 48, 32)`. */
  async refine(points: Float32Array, features: Float32Array): Promise<Points> {
    const matrices = PARTS.map((part) => toFeatures(points, part));
    const placed = await this.network.run(...matrices.map((matrix) => cutOut(features, matrix)));
    const refined = new Float32Array(3 * ALL);
    refined.set(points.subarray(0, 3 * MESH));
    PARTS.forEach((part, index) => put(refined, part.points, placed[index]!, matrices[index]!));
    PARTS.slice(1).forEach((part, index) => {
      const iris = placed[PARTS.length + index]!, numbers = Array.from({ length: iris.length / 2 }, (_, at) => part.iris + at);
      put(refined, numbers, iris, matrices[index + 1]!);
      const depth = meanOf(part.points.slice(0, part.contour).map((point) => points[3 * point + 2]!));
      for (const number of numbers) refined[3 * number + 2] = depth;
    });
    return refined;
  }
}

/**
 * What follows rounds to float32 where Python does (products of matrices as fused multiply-adds): landmarks are then the same to the
 * bit, and so are crops; an INT8 network answers a crop that differs in one level of one pixel otherwise by some hundredths.
 */
const f = Math.fround;

/** `a * b + c * d` as two fused steps of float32. */
function fused(a: number, b: number, c: number, d: number): number {
  return f(f(a * b) + c * d);
}

function toFeatures(points: Float32Array, part: Part): Matrix {
  const axisX = f(points[3 * part.end]! - points[3 * part.start]!), axisY = f(points[3 * part.end + 1]! - points[3 * part.start + 1]!);
  const length = f(Math.max(f(Math.hypot(axisX, axisY)), 1e-6)), cosine = f(axisX / length), sine = f(axisY / length);
  let lowX = Infinity, lowY = Infinity, highX = -Infinity, highY = -Infinity;
  for (const point of part.points) {
    const x = points[3 * point]!, y = points[3 * point + 1]!;
    const across = fused(x, cosine, y, sine) / STRIDE, down = fused(x, -sine, y, cosine) / STRIDE;
    lowX = Math.min(lowX, across);
    highX = Math.max(highX, across);
    lowY = Math.min(lowY, down);
    highY = Math.max(highY, down);
  }
  const scaleX = f(f(highX - lowX) * f(MARGIN / MAP)), scaleY = f(f(highY - lowY) * f(MARGIN / MAP));
  const a = f(cosine * scaleX), b = f(-sine * scaleY), c = f(sine * scaleX), d = f(cosine * scaleY);
  const middleX = f(lowX + highX) / 2, middleY = f(lowY + highY) / 2;
  // Of a matrix and a vector the products are rounded by themselves.
  const shiftX = f(f(cosine * middleX) + f(-sine * middleY)), shiftY = f(f(sine * middleX) + f(cosine * middleY));
  return [a, b, f(shiftX - f(a + b) * (MAP / 2)), c, d, f(shiftY - f(c + d) * (MAP / 2))];
}

/** A map of a part, `(16, 16, 32)`: bilinear, 0 outside. */
function cutOut(features: Float32Array, matrix: Matrix): Float32Array {
  const [a, b, x, c, d, y] = matrix, map = new Float32Array(MAP * MAP * CHANNELS), shiftX = f(x - 0.5), shiftY = f(y - 0.5);
  for (let v = 0; v < MAP; v++) {
    for (let u = 0; u < MAP; u++) {
      const placeX = f(fused(u + 0.5, a, v + 0.5, b) + shiftX), placeY = f(fused(u + 0.5, c, v + 0.5, d) + shiftY);
      if (placeX < 0 || placeY < 0 || placeX > SIDE - 1 || placeY > SIDE - 1) continue;
      const left = Math.min(Math.floor(placeX), SIDE - 2), top = Math.min(Math.floor(placeY), SIDE - 2);
      const fx = f(placeX - left), fy = f(placeY - top), gx = f(1 - fx), gy = f(1 - fy);
      const first = CHANNELS * (top * SIDE + left), below = first + CHANNELS * SIDE, to = CHANNELS * (v * MAP + u);
      for (let k = 0; k < CHANNELS; k++) {
        const upper = f(f(features[first + k]! * gx) + f(features[first + CHANNELS + k]! * fx));
        const lower = f(f(features[below + k]! * gx) + f(features[below + CHANNELS + k]! * fx));
        map[to + k] = f(upper * gy) + f(lower * fy);
      }
    }
  }
  return map;
}

function put(refined: Float32Array, numbers: readonly number[], local: Float32Array, matrix: Matrix): void {
  const [a, b, x, c, d, y] = matrix;
  numbers.forEach((number, at) => {
    const u = local[2 * at]!, v = local[2 * at + 1]!;
    refined[3 * number] = fused(u, a, v, b) + x * STRIDE;
    refined[3 * number + 1] = fused(u, c, v, d) + y * STRIDE;
  });
}

/** The mean of values as numpy sums them: eight sums side by side. */
function meanOf(values: readonly number[]): number {
  const sums = values.slice(0, 8);
  for (let at = 8; at < values.length; at++) sums[at % 8] = f(sums[at % 8]! + values[at]!);
  const pair = (at: number): number => f(sums[at]! + sums[at + 1]!);
  return f(f(f(pair(0) + pair(2)) + f(pair(4) + pair(6))) / values.length);
}
