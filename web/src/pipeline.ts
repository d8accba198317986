/** The road of a frame: landmarks, tracking, alignment, network, fusion, thresholds, smoothing (`edgeau.stages`). */
import { Alignment, Box, alignmentOf, boxOf } from "./alignment";
import { AuNetwork } from "./au-network";
import { Bundle } from "./bundle";
import { DETECTOR_ENDS, FaceDetector } from "./detection";
import { Network } from "./engine";
import { PageError } from "./errors";
import { GoldenDifference, checkGolden } from "./golden";
import { HeadPose, headPose } from "./head-pose";
import { TrackHysteresis } from "./hysteresis";
import { LandmarkModel } from "./landmark-model";
import { FaceLandmarker } from "./landmarker";
import { Artifact, artifactOf } from "./manifest";
import { FaceMesh } from "./mesh";
import { Picture } from "./picture";
import { Points } from "./points";
import { ActionUnit, ActionUnits, Predictor } from "./predictor";
import { refusals } from "./quality";
import { TrackSmoother } from "./smoothing";
import { partOf } from "./tflite";
import { FaceTracker } from "./tracker";

const MOST_FACES = 100, MOST_LIVE = 4, FORGET_S = 3, GOLDEN_CROPS = 3;

export interface Face {
  /** Undefined in a picture by itself. */
  readonly trackId: number | undefined;
  readonly box: Box;
  readonly points: Points;
  readonly pose: HeadPose;
  readonly aus: ActionUnits;
}

interface TrackState {
  readonly smoother: TrackSmoother;
  readonly hysteresis: TrackHysteresis;
  seenS: number;
}

export class Pipeline {
  private tracker = new FaceTracker();
  private states = new Map<number, TrackState>();

  private constructor(
    readonly bundle: Bundle,
    readonly artifact: Artifact,
    readonly predictor: Predictor,
    readonly golden: GoldenDifference,
    private readonly landmarker: FaceLandmarker,
    private readonly alignment: Alignment,
  ) {}

  /** From a bundle's folder; `said` is called with what is done. */
  static async load(folder: string, said: (what: string) => void): Promise<Pipeline> {
    said("loading the bundle");
    const bundle = await Bundle.open(folder), { manifest } = bundle, artifact = artifactOf(manifest);
    const alignment = alignmentOf(manifest.alignment);
    const [height, width] = manifest.input.size;
    if (alignment.width !== width || alignment.height !== height) {
      throw new PageError(`The bundle's alignment gives ${alignment.height} x ${alignment.width} pixels and its network wants ${height} x ${width}. Export it again.`);
    }
    const model = manifest.landmark_model && (await LandmarkModel.read(await bundle.read(manifest.landmark_model), manifest.landmark_model));
    said("loading the face landmark networks");
    const { detector, mesh } = manifest.landmarks!;
    const part = partOf(await bundle.read(detector), DETECTOR_ENDS.inputs, DETECTOR_ENDS.outputs, detector);
    const finder = new FaceDetector(await Network.open(part, detector, DETECTOR_ENDS));
    const placer = await FaceMesh.open(await bundle.read(mesh), mesh.slice(mesh.lastIndexOf("/") + 1));
    said("loading the action unit network");
    const network = await AuNetwork.open(await bundle.read(artifact.file), artifact, manifest.input);
    said("checking the network's golden answers");
    const golden = await checkGolden(await bundle.read(manifest.golden), manifest, artifact, network, GOLDEN_CROPS);
    const predictor = new Predictor(network, manifest, artifact, model || undefined);
    return new Pipeline(bundle, artifact, predictor, golden, new FaceLandmarker(finder, placer), alignment);
  }

  /** Forget the frames so far: what comes next is another stream. */
  reset(): void {
    this.landmarker.reset();
    this.tracker = new FaceTracker();
    this.states.clear();
  }

  /** The faces of one picture by itself, from left to right. */
  async process(picture: Picture): Promise<Face[]> {
    const found = await this.landmarker.find(picture, true, MOST_FACES), faces: Face[] = [];
    for (const { points, isReliable } of found) faces.push(await this.read(picture, points, isReliable, undefined));
    return faces.sort((one, other) => one.box.left - other.box.left || one.box.top - other.box.top);
  }

  /** The faces of the next frame of a stream, by their numbers; `timeS` must not go back. */
  async track(frame: Picture, timeS: number): Promise<Face[]> {
    const found = await this.landmarker.find(frame, false, MOST_LIVE), faces: Face[] = [];
    const numbers = this.tracker.update(found.map((face) => boxOf(face.points)), found.map((face) => face.points), timeS);
    for (const [at, { points, isReliable }] of found.entries()) faces.push(await this.read(frame, points, isReliable, numbers[at]));
    for (const [number, state] of this.states) if (timeS - state.seenS > FORGET_S) this.states.delete(number);
    return faces.map((face) => this.filtered(face, timeS)).sort((one, other) => one.trackId! - other.trackId!);
  }

  private async read(frame: Picture, points: Points, isReliable: boolean, trackId: number | undefined): Promise<Face> {
    const box = boxOf(points), pose = headPose(points), crop = this.alignment.crop(frame, points);
    const refused = (reason: ActionUnit["reason"]): ActionUnit => ({ probability: null, active: null, reason, left: null, right: null });
    const face = { trackId, box, points, pose };
    if (!crop || !isReliable) {
      return { ...face, aus: Object.fromEntries(this.predictor.labels.map((label) => [label, refused("landmarks")])) };
    }
    const aus = await this.predictor.predict(crop, points);
    for (const [label, reason] of refusals(this.predictor.labels, frame, points, box, crop, pose)) aus[label] = refused(reason);
    return { ...face, aus };
  }

  private filtered(face: Face, timeS: number): Face {
    let state = this.states.get(face.trackId!);
    if (!state) {
      state = { smoother: new TrackSmoother(), hysteresis: new TrackHysteresis(), seenS: timeS };
      this.states.set(face.trackId!, state);
    }
    state.seenS = timeS;
    const aus: ActionUnits = {};
    for (const [label, unit] of Object.entries(face.aus)) {
      const threshold = this.predictor.thresholds[label]!;
      aus[label] = state.hysteresis.next(label, state.smoother.next(label, unit, threshold, timeS), threshold);
    }
    return { ...face, aus };
  }
}
