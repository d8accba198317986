/** The faces of a picture, or of the next frame of a film (`edgeau.faces.landmarks.litert.landmarker`). */
import { FaceChecker } from "./checking";
import { FaceDetector } from "./detection";
import { FaceMesh } from "./mesh";
import { Picture, halved, powerOfTwo } from "./picture";
import { facesOfPicture } from "./picture-search";
import { Points } from "./points";
import { Tracking } from "./tracking";

const LONG_SIDE = 1280;

export interface FaceLandmarks {
  readonly points: Points;
  /** The landmarks are rather right than garbage. */
  readonly isReliable: boolean;
}

export class FaceLandmarker {
  private readonly checker: FaceChecker;
  private tracking: Tracking;

  constructor(private readonly detector: FaceDetector, mesh: FaceMesh) {
    this.checker = new FaceChecker(mesh);
    this.tracking = new Tracking(detector, this.checker);
  }

  /** Forget the frames so far: another film comes next. */
  reset(): void {
    this.tracking = new Tracking(this.detector, this.checker);
  }

  /** `still`: the picture has nothing to do with those before. */
  async find(frame: Picture, still: boolean, most: number): Promise<FaceLandmarks[]> {
    const small = shrunk(frame), scale = Math.floor(frame.height / small.height);
    const faces = still
      ? await facesOfPicture(small, this.detector, this.checker, most)
      : await this.tracking.faces(small, most);
    return faces.map(({ points, isReliable }) => ({
      // The centre of the first pixel is at 0, 0 in both, and lies in the middle of `scale` x `scale` pixels of the frame; z has no place.
      points: scale === 1 ? points : points.map((value, at) => value * scale + (at % 3 < 2 ? (scale - 1) / 2 : 0)),
      isReliable,
    }));
  }
}

/** The frame, halved as often as its long side stays at 1280 pixels or more; the networks see no more. */
function shrunk(frame: Picture): Picture {
  const factor = powerOfTwo(Math.max(frame.width, frame.height) / LONG_SIDE);
  const width = Math.floor(frame.width / factor), height = Math.floor(frame.height / factor);
  return factor === 1 || !width || !height ? frame : halved(frame, factor, width, height);
}
