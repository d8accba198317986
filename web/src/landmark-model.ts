/** Action units from face landmarks alone: a linear map of the face's shape (`edgeau.action_units.landmark_model`). */
import { PageError } from "./errors";
import { NpyArray, readNpz } from "./npz";
import { Points } from "./points";
import { Matrix3, nearestRotation } from "./rotation";

const FORMAT = 1, MESH = 468;

export interface LandmarkEstimate {
  /** By label of the model. */
  readonly logits: Float32Array;
  /** Left less right logit, by label of the sides. */
  readonly asymmetries: Float32Array;
}

interface Lines {
  readonly labels: readonly string[];
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly slope: Float32Array;
  readonly shift: Float32Array;
}

export class LandmarkModel {
  private readonly share: Float64Array;
  private readonly centre: number[];
  private readonly goal: Float64Array;

  private constructor(
    private readonly whole: Lines,
    private readonly sided: (Lines & { readonly mirror: Float32Array }) | undefined,
    template: Float32Array,
    stability: Float32Array,
    private readonly neutral: Float32Array,
  ) {
    const total = stability.reduce((sum, value) => sum + value, 0);
    this.share = Float64Array.from(stability, (value) => value / total);
    this.centre = [0, 1, 2].map((axis) => this.share.reduce((sum, share, point) => sum + share * template[3 * point + axis]!, 0));
    this.goal = Float64Array.from(template, (value, at) => (value - this.centre[at % 3]!) * this.share[Math.floor(at / 3)]!);
  }

  static async read(content: Uint8Array, file: string): Promise<LandmarkModel> {
    const arrays = await readNpz(content, file);
    const get = (name: string): NpyArray => {
      const array = arrays.get(name);
      if (!array) throw new PageError(`${file} is not a landmark model: it has no ${name}. Export the folder again.`);
      return array;
    };
    if (!(get("format").values[0]! <= FORMAT)) throw new PageError(`${file} is newer than this page. Export the folder with one edgeau.`);
    const numbers = (name: string, count: number): Float32Array => {
      const values = Float32Array.from(get(name).values);
      if (values.length === count && values.every(Number.isFinite)) return values;
      throw new PageError(`${file} is not a landmark model: its ${name} is not ${count} finite numbers. Export the folder again.`);
    };
    const lines = (prefix: string): Lines => {
      const labels = get(`${prefix}labels`).texts, count = labels.length;
      return {
        labels,
        weights: numbers(`${prefix}weights`, 3 * MESH * count),
        bias: numbers(`${prefix}bias`, count),
        slope: numbers(`${prefix}slope`, count),
        shift: numbers(`${prefix}shift`, count),
      };
    };
    const sided = arrays.has("sides_labels") ? { ...lines("sides_"), mirror: numbers("sides_mirror", MESH) } : undefined;
    return new LandmarkModel(lines(""), sided, numbers("template", 3 * MESH), numbers("stability", MESH), numbers("neutral", 3 * MESH));
  }

  get labels(): readonly string[] {
    return this.whole.labels;
  }

  get sidedLabels(): readonly string[] {
    return this.sided?.labels ?? [];
  }

  estimate(points: Points): LandmarkEstimate {
    const difference = this.lay(points);
    for (let at = 0; at < difference.length; at++) difference[at]! -= this.neutral[at]!;
    const logits = this.whole.labels.map((_, label) => logit(this.whole, label, difference));
    return { logits: Float32Array.from(logits), asymmetries: this.asymmetries(difference) };
  }

  private asymmetries(difference: Float32Array): Float32Array {
    const { sided } = this;
    if (!sided) return new Float32Array();
    // The right half is the left half of the mirrored face.
    const mirrored = new Float32Array(difference.length);
    for (let point = 0; point < MESH; point++) {
      const from = 3 * point, to = 3 * sided.mirror[point]!;
      mirrored[to] = -difference[from]!;
      mirrored[to + 1] = difference[from + 1]!;
      mirrored[to + 2] = difference[from + 2]!;
    }
    return Float32Array.from(sided.labels, (_, label) => logit(sided, label, difference) - logit(sided, label, mirrored));
  }

  /** The face on the template: rotated, scaled and shifted by the points that expressions hardly move. */
  private lay(points: Points): Float32Array {
    const centre = [0, 0, 0], { share, goal } = this;
    for (let point = 0; point < MESH; point++) for (let k = 0; k < 3; k++) centre[k]! += share[point]! * points[3 * point + k]!;
    const product = new Array<number>(9).fill(0);
    let spread = 0;
    for (let point = 0; point < MESH; point++) {
      for (let j = 0; j < 3; j++) {
        const value = points[3 * point + j]! - centre[j]!;
        spread += value * value * share[point]!;
        for (let i = 0; i < 3; i++) product[3 * i + j]! += goal[3 * point + i]! * value;
      }
    }
    const rotation = nearestRotation(product as unknown as Matrix3);
    const scale = rotation.reduce((sum, value, at) => sum + value * product[at]!, 0) / spread;
    const laid = new Float32Array(3 * MESH);
    for (let point = 0; point < MESH; point++) {
      const x = points[3 * point]! - centre[0]!, y = points[3 * point + 1]! - centre[1]!, z = points[3 * point + 2]! - centre[2]!;
      for (let i = 0; i < 3; i++) {
        laid[3 * point + i] = scale * (rotation[3 * i]! * x + rotation[3 * i + 1]! * y + rotation[3 * i + 2]! * z) + this.centre[i]!;
      }
    }
    return laid;
  }
}

function logit(lines: Lines, label: number, difference: Float32Array): number {
  const first = label * difference.length;
  let evidence = lines.bias[label]!;
  for (let at = 0; at < difference.length; at++) evidence += lines.weights[first + at]! * difference[at]!;
  return evidence * lines.slope[label]! + lines.shift[label]!;
}
