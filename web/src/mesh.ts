/** The points of one face: MediaPipe's face mesh networks (`edgeau.faces.landmarks.litert.mesh`). */
import { Network } from "./engine";
import facts from "./facts.json";
import { Picture } from "./picture";
import { Points } from "./points";
import { FEATURES, Refinement } from "./refinement";
import { Region, cropRegion, toFrame } from "./region";
import { partOf } from "./tflite";

export interface PlacedFace {
  readonly points: Points;
  /** The network's logit of there being a face in what it was shown. */
  readonly presence: number;
}

/** Presence, a logit. */
interface Limits {
  /** From here on nothing but a face is seen, looked at along its own landmarks. */
  readonly certain: number;
  /** Below it landmarks are garbage more often than right. */
  readonly likely: number;
  /** From here on a look along the detector's region needs no second one. */
  readonly certainAtFirst: number;
  /** Score of the detector in a whole frame, 0..1, from which on a likely face is certain. */
  readonly trustedScore: number;
  /** `certainAtFirst` at a place of such a score. */
  readonly trustedAtFirst: number;
}

interface Stages {
  readonly size: number;
  readonly limits: Limits;
  look(picture: Float32Array): Promise<Look>;
}

interface Look {
  readonly presence: number;
  points(): Promise<Points>;
}

const MIN_PRESENCE = 0; // a logit: more likely a face than none
const NORMALIZED = Float32Array.from({ length: 256 }, (_, value) => value / 255);

export class FaceMesh {
  private readonly input: Float32Array;

  private constructor(private readonly stages: Stages) {
    this.input = new Float32Array(stages.size * stages.size * 3);
  }

  static async open(content: Uint8Array, file: string): Promise<FaceMesh> {
    const generation = GENERATIONS[file];
    return new FaceMesh(await (generation ?? task)(content, file));
  }

  get limits(): Limits {
    return this.stages.limits;
  }

  /** The points of the face in a region, pixels of the frame. */
  async place(frame: Picture, region: Region): Promise<PlacedFace | undefined> {
    const { size } = this.stages, found = await this.look(frame, region);
    if (found.presence < MIN_PRESENCE) return undefined;
    const points = await found.points(), [a, b, x, c, d, y] = toFrame(region, size), depth = Math.fround(region.side / size);
    for (let at = 0; at < points.length; at += 3) {
      const u = points[at]!, v = points[at + 1]!;
      points[at] = a * u + b * v + x;
      points[at + 1] = c * u + d * v + y;
      points[at + 2]! *= depth;
    }
    return { points, presence: found.presence };
  }

  /** The network's logit of there being a face in a region, without its points. */
  async presence(frame: Picture, region: Region): Promise<number | undefined> {
    const { presence } = await this.look(frame, region);
    return presence < MIN_PRESENCE ? undefined : presence;
  }

  private look(frame: Picture, region: Region): Promise<Look> {
    const { size } = this.stages, { data } = cropRegion(frame, region, size, "replicate"), input = this.input;
    for (let pixel = 0, to = 0; pixel < size * size; pixel++) {
      for (let k = 0; k < 3; k++) input[to++] = NORMALIZED[data[4 * pixel + k]!]!;
    }
    return this.stages.look(input);
  }
}

function limitsOf(generation: keyof typeof facts.meshes): Limits {
  const { certain, likely, certainAtFirst, trustedScore, trustedAtFirst } = facts.meshes[generation];
  return {
    certain, likely,
    certainAtFirst: certainAtFirst ?? Infinity, trustedScore: trustedScore ?? Infinity, trustedAtFirst: trustedAtFirst ?? Infinity,
  };
}

type Opening = (content: Uint8Array, file: string) => Promise<Stages>;

/** 478 points: those of lips and eyes are placed a second time. */
const refined: Opening = async (content, file) => {
  const ends = { inputs: ["input_1"], outputs: ["output_mesh", "conv_faceflag", FEATURES] };
  const network = await Network.open(partOf(content, ends.inputs, ends.outputs, file), file, ends);
  const refinement = await Refinement.open(content, file);
  return {
    size: 192,
    limits: limitsOf("refined"),
    async look(picture) {
      const [points, flag, features] = await network.run(picture);
      return { presence: flag![0]!, points: () => refinement.refine(points!, features!) };
    },
  };
};

/** One network with points and presence. */
function single(size: number, limits: Limits, ends: { inputs: string[]; outputs: string[] }): Opening {
  return async (content, file) => {
    const network = await Network.open(partOf(content, ends.inputs, ends.outputs, file), file, ends);
    return {
      size,
      limits,
      async look(picture) {
        const [points, flag] = await network.run(picture);
        return { presence: flag![0]!, points: () => Promise.resolve(points!) };
      },
    };
  };
}

const task = single(256, limitsOf("task"), { inputs: ["input_12"], outputs: ["Identity", "Identity_1"] });
const plain = single(192, limitsOf("plain"), { inputs: ["input_1"], outputs: ["conv2d_21", "conv2d_31"] });

/** By the file's name in MediaPipe, which bundles keep. */
const GENERATIONS: Record<string, Opening> = {
  "face_landmark_with_attention.tflite": refined,
  "face_landmark.tflite": plain,
  "face_landmarks_detector.tflite": task,
};
