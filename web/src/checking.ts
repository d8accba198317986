/** Landmarks that are looked at a second time, so that garbage does not pass for a face (`edgeau.faces.landmarks.litert.checking`). */
import facts from "./facts.json";
import { FaceMesh, PlacedFace } from "./mesh";
import { Picture } from "./picture";
import { Points } from "./points";
import { Region, overlap, regionOfLandmarks, turnRegion } from "./region";

const OTHER_TURNS = [2, 1, 3];
// A region of the detector that overlaps the landmarks' own this much is looked at nearly along them.
const ALONG = facts.search.along;

export interface CheckedFace {
  readonly points: Points;
  readonly presence: number;
  readonly isCertain: boolean;
  readonly isReliable: boolean;
  /** It was looked at along these very landmarks: another look would say the same. */
  readonly isSettled: boolean;
  /** Where to look for the face in the next frame. */
  readonly region: Region;
}

export class FaceChecker {
  constructor(private readonly mesh: FaceMesh) {}

  /**
   * A face at a place that the detector found; `keep` gives the points of the first look, else those of the second. `score` is the
   * detector's, where it saw the whole frame: what it is sure of need not convince the mesh as much.
   */
  async firstLook(frame: Picture, region: Region, keep: boolean, score = 0): Promise<CheckedFace | undefined> {
    const first = await this.mesh.place(frame, region);
    if (!first) return undefined;
    const along = regionOfLandmarks(first.points), { limits } = this.mesh;
    if (keep) {
      const trusted = score >= limits.trustedScore, enough = trusted ? limits.trustedAtFirst : limits.certainAtFirst;
      if (first.presence >= enough && overlap(region, along) >= ALONG) return { ...this.checked(first, first.presence), isCertain: true };
      const face = this.checked(first, (await this.mesh.presence(frame, along)) ?? -Infinity);
      return trusted && face.isReliable ? { ...face, isCertain: true } : face;
    }
    const second = await this.mesh.place(frame, along);
    return second ? this.checked(second, second.presence) : this.checked(first, -Infinity);
  }

  /**
   * A face that was in the frame before, along the landmarks that it had there. Whether one is certain that is reliable as it is stays
   * open until somebody asks (`settle`): it costs another look.
   */
  async nextLook(frame: Picture, region: Region): Promise<CheckedFace | undefined> {
    const placed = await this.mesh.place(frame, region);
    if (!placed) return undefined;
    const face = { ...this.checked(placed, placed.presence), isSettled: false };
    return face.isReliable ? face : this.settle(frame, face);
  }

  /** The face as sure as it can be; it may have moved since the frame before: what counts is how it looks along its landmarks now. */
  async settle(frame: Picture, face: CheckedFace): Promise<CheckedFace> {
    if (face.isCertain || face.isSettled) return face;
    const again = await this.mesh.presence(frame, face.region);
    return this.checked(face, Math.max(face.presence, again ?? -Infinity));
  }

  /** The surest face that shows when a region is turned by quarters. */
  async findTurned(frame: Picture, region: Region): Promise<CheckedFace | undefined> {
    let best: CheckedFace | undefined;
    for (const turn of OTHER_TURNS) {
      const face = await this.firstLook(frame, turnRegion(region, turn), false);
      if (face?.isCertain && face.presence > (best?.presence ?? -Infinity)) best = face;
    }
    return best;
  }

  private checked(placed: PlacedFace, presence: number): CheckedFace {
    return {
      points: placed.points,
      presence,
      isCertain: presence >= this.mesh.limits.certain,
      isReliable: presence >= this.mesh.limits.likely,
      isSettled: true,
      region: regionOfLandmarks(placed.points),
    };
  }
}
