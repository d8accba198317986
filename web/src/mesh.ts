/** The points of one face: MediaPipe's face mesh networks (`edgeau.faces.landmarks.litert.mesh`). */
import { Network } from "./engine";
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

interface Stages {
  readonly size: number;
  /** Presence from which on nothing but a face is seen, and below which landmarks are garbage more often than right. */
  readonly certain: number;
  readonly likely: number;
  points(picture: Float32Array): Promise<PlacedFace | undefined>;
}

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

  get certain(): number {
    return this.stages.certain;
  }

  get likely(): number {
    return this.stages.likely;
  }

  /** The points of the face in a region, pixels of the frame. */
  async place(frame: Picture, region: Region): Promise<PlacedFace | undefined> {
    const { size } = this.stages, { data } = cropRegion(frame, region, size, "replicate"), input = this.input;
    for (let pixel = 0, to = 0; pixel < size * size; pixel++) {
      for (let k = 0; k < 3; k++) input[to++] = NORMALIZED[data[4 * pixel + k]!]!;
    }
    const found = await this.stages.points(input);
    if (!found) return undefined;
    const [a, b, x, c, d, y] = toFrame(region, size), { points } = found, depth = Math.fround(region.side / size);
    for (let at = 0; at < points.length; at += 3) {
      const u = points[at]!, v = points[at + 1]!;
      points[at] = a * u + b * v + x;
      points[at + 1] = c * u + d * v + y;
      points[at + 2]! *= depth;
    }
    return found;
  }
}

type Opening = (content: Uint8Array, file: string) => Promise<Stages>;

/** 478 points, in two looks. */
const refined: Opening = async (content, file) => {
  const ends = { inputs: ["input_1"], outputs: ["output_mesh", "conv_faceflag", FEATURES] };
  const network = await Network.open(partOf(content, ends.inputs, ends.outputs, file), file, ends);
  const refinement = await Refinement.open(content, file);
  return {
    size: 192, certain: 17, likely: 13,
    async points(picture) {
      const [points, flag, features] = await network.run(picture), presence = flag![0]!;
      if (presence < 0) return undefined;
      return { points: await refinement.refine(points!, features!), presence };
    },
  };
};

/** One network with points and presence. */
function single(size: number, certain: number, likely: number, ends: { inputs: string[]; outputs: string[] }): Opening {
  return async (content, file) => {
    const network = await Network.open(partOf(content, ends.inputs, ends.outputs, file), file, ends);
    return {
      size, certain, likely,
      async points(picture) {
        const [points, flag] = await network.run(picture), presence = flag![0]!;
        return presence < 0 ? undefined : { points: points!, presence };
      },
    };
  };
}

const task = single(256, 10, 7, { inputs: ["input_12"], outputs: ["Identity", "Identity_1"] });

/** By the file's name in MediaPipe, which bundles keep. */
const GENERATIONS: Record<string, Opening> = {
  "face_landmark_with_attention.tflite": refined,
  "face_landmark.tflite": single(192, 15, 12, { inputs: ["input_1"], outputs: ["conv2d_21", "conv2d_31"] }),
  "face_landmarks_detector.tflite": task,
};
