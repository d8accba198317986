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
  /** Where to look for the face in the next frame. */
  readonly region: Region;
}

export class FaceChecker {
  constructor(private readonly mesh: FaceMesh) {}

  /** A face at a place that the detector found; `keep` gives the points of the first look, else those of the second. */
  async firstLook(frame: Picture, region: Region, keep: boolean): Promise<CheckedFace | undefined> {
    const first = await this.mesh.place(frame, region);
    if (!first) return undefined;
    const along = regionOfLandmarks(first.points);
    if (keep) {
      if (first.presence >= this.mesh.limits.certainAtFirst && overlap(region, along) >= ALONG) return this.checked(first, first.presence);
      return this.checked(first, (await this.mesh.presence(frame, along)) ?? -Infinity);
    }
    const second = await this.mesh.place(frame, along);
    return second ? this.checked(second, second.presence) : this.checked(first, -Infinity);
  }

  /** A face that was in the frame before, along the landmarks that it had there. */
  async nextLook(frame: Picture, region: Region): Promise<CheckedFace | undefined> {
    const placed = await this.mesh.place(frame, region);
    if (!placed) return undefined;
    const face = this.checked(placed, placed.presence);
    if (face.isCertain) return face;
    const again = await this.mesh.presence(frame, face.region);
    return again === undefined ? face : this.checked(placed, Math.max(placed.presence, again));
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
      region: regionOfLandmarks(placed.points),
    };
  }
}
