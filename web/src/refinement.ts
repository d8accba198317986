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
      const contour = part.points.slice(0, part.contour);
      const depth = contour.reduce((sum, point) => sum + points[3 * point + 2]!, 0) / contour.length;
      for (const number of numbers) refined[3 * number + 2] = depth;
    });
    return refined;
  }
}

function toFeatures(points: Float32Array, part: Part): Matrix {
  const axisX = points[3 * part.end]! - points[3 * part.start]!, axisY = points[3 * part.end + 1]! - points[3 * part.start + 1]!;
  const length = Math.max(Math.hypot(axisX, axisY), 1e-6), cosine = axisX / length, sine = axisY / length;
  let lowX = Infinity, lowY = Infinity, highX = -Infinity, highY = -Infinity;
  for (const point of part.points) {
    const x = points[3 * point]!, y = points[3 * point + 1]!;
    const across = (x * cosine + y * sine) / STRIDE, down = (y * cosine - x * sine) / STRIDE;
    lowX = Math.min(lowX, across);
    highX = Math.max(highX, across);
    lowY = Math.min(lowY, down);
    highY = Math.max(highY, down);
  }
  const scaleX = ((highX - lowX) * MARGIN) / MAP, scaleY = ((highY - lowY) * MARGIN) / MAP;
  const a = cosine * scaleX, b = -sine * scaleY, c = sine * scaleX, d = cosine * scaleY;
  const middleX = (lowX + highX) / 2, middleY = (lowY + highY) / 2;
  return [
    a, b, cosine * middleX - sine * middleY - ((a + b) * MAP) / 2,
    c, d, sine * middleX + cosine * middleY - ((c + d) * MAP) / 2,
  ];
}

/** A map of a part, `(16, 16, 32)`: bilinear, 0 outside. */
function cutOut(features: Float32Array, matrix: Matrix): Float32Array {
  const [a, b, x, c, d, y] = matrix, map = new Float32Array(MAP * MAP * CHANNELS);
  for (let v = 0; v < MAP; v++) {
    for (let u = 0; u < MAP; u++) {
      const placeX = a * (u + 0.5) + b * (v + 0.5) + x - 0.5, placeY = c * (u + 0.5) + d * (v + 0.5) + y - 0.5;
      if (placeX < 0 || placeY < 0 || placeX > SIDE - 1 || placeY > SIDE - 1) continue;
      const left = Math.min(Math.max(Math.floor(placeX), 0), SIDE - 2), top = Math.min(Math.max(Math.floor(placeY), 0), SIDE - 2);
      const fx = placeX - left, fy = placeY - top, first = CHANNELS * (top * SIDE + left), below = first + CHANNELS * SIDE;
      const to = CHANNELS * (v * MAP + u);
      for (let k = 0; k < CHANNELS; k++) {
        const upper = features[first + k]! * (1 - fx) + features[first + CHANNELS + k]! * fx;
        const lower = features[below + k]! * (1 - fx) + features[below + CHANNELS + k]! * fx;
        map[to + k] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return map;
}

function put(refined: Float32Array, numbers: readonly number[], local: Float32Array, matrix: Matrix): void {
  const [a, b, x, c, d, y] = matrix;
  numbers.forEach((number, at) => {
    const u = local[2 * at]!, v = local[2 * at + 1]!;
    refined[3 * number] = a * u + b * v + x * STRIDE;
    refined[3 * number + 1] = c * u + d * v + y * STRIDE;
  });
}
