/** Faces from frame to frame (`edgeau.faces.landmarks.litert.tracking`, as it runs live: without tiles). */
import { hasChanged } from "./changes";
import { CheckedFace, FaceChecker } from "./checking";
import { FaceDetector, Overview, overviewOf } from "./detection";
import facts from "./facts.json";
import { Picture } from "./picture";
import { Region, isSameFace, overlap } from "./region";

// Frames between two searches of a whole frame in which nothing changed but the faces that are followed.
const SEARCH_EVERY = facts.search.everyFrames;
// Frames after the loss of a face in which the whole frame is searched for it, whether anything changed or not.
const MISSED = facts.search.missed;
const SAME_FACE = 0.5, TURN_EVERY = facts.search.turnEvery, TURN_AGAIN = facts.search.turnAgain;

export class Tracking {
  private followed: Region[] = [];
  private count = 0;
  private rightedAt = -TURN_AGAIN;
  private lostAt = -MISSED;
  private searched: Overview | undefined;
  private searchedAt = 0;

  constructor(private readonly detector: FaceDetector, private readonly checker: FaceChecker) {}

  async faces(frame: Picture, most: number): Promise<CheckedFace[]> {
    const turn = this.count % TURN_EVERY === 0;
    let faces: CheckedFace[] = [];
    for (const region of this.followed) {
      const face = await this.followedFace(frame, region, turn);
      if (face) faces.push(face);
    }
    if (faces.length < this.followed.length) this.lostAt = this.count;
    const missesOne = !faces.length || this.count - this.lostAt < MISSED;
    const found = this.followed.length < most ? await this.newFaces(frame, most, turn || missesOne) : [];
    faces.push(...found);
    const again = turn || (this.count - this.rightedAt >= TURN_AGAIN && !found.every((face) => face.isCertain));
    if (again) {
      faces = await this.settled(frame, faces);
      if (!faces.every((face) => face.isCertain)) {
        faces = await this.righted(frame, faces, most);
        this.rightedAt = this.count;
      }
    }
    faces = await this.distinct(frame, faces);
    this.followed = faces.map((face) => face.region);
    this.count++;
    return faces;
  }

  private async followedFace(frame: Picture, region: Region, turn: boolean): Promise<CheckedFace | undefined> {
    let face = await this.checker.nextLook(frame, region);
    if (!face || !turn) return face;
    face = await this.checker.settle(frame, face);
    return face.isCertain ? face : ((await this.checker.findTurned(frame, region)) ?? face);
  }

  private async settled(frame: Picture, faces: readonly CheckedFace[]): Promise<CheckedFace[]> {
    const sure: CheckedFace[] = [];
    for (const face of faces) sure.push(await this.checker.settle(frame, face));
    return sure;
  }

  private async newFaces(frame: Picture, most: number, inAnyCase: boolean): Promise<CheckedFace[]> {
    const overview = overviewOf(frame);
    if (this.followed.length && !inAnyCase && this.isSearched(overview)) return [];
    this.searched = overview;
    this.searchedAt = this.count;
    const found = (await this.detector.detectInOverview(overview)).slice(0, most).map((candidate) => candidate.region);
    const regions = joined(this.followed, found, most).slice(this.followed.length);
    const faces: CheckedFace[] = [];
    for (const region of regions) {
      let face = await this.checker.firstLook(frame, region, true);
      if (face && !face.isCertain) face = (await this.checker.findTurned(frame, region)) ?? face;
      if (face) faces.push(face);
    }
    const turn = this.count % TURN_EVERY === 0;
    return turn && !this.followed.length && !faces.length ? this.turnedFaces(frame, most) : faces;
  }

  /** Tell whether nothing can have come since the last search: what changed are the followed faces alone. */
  private isSearched({ region, picture }: Overview): boolean {
    const before = this.searched;
    const isSameSize = before?.region.x === region.x && before.region.y === region.y;
    if (!before || !isSameSize || this.count - this.searchedAt >= SEARCH_EVERY) return false;
    const inOverview = (value: number): number => (value * picture.width) / region.side;
    const hidden = this.followed.map((face) => {
      const x = inOverview(face.x - (region.x - region.side / 2)), y = inOverview(face.y - (region.y - region.side / 2));
      const half = inOverview(face.side / 2);
      // A face that left the frame to the left or above ends before it begins: a negative end would mean nearly all.
      const edge = (place: number): number => Math.max(Math.trunc(place), 0);
      return { left: edge(x - half), top: edge(y - half), right: edge(x + half + 1), bottom: edge(y + half + 1) };
    });
    return !hasChanged(before.picture, picture, hidden);
  }

  private async righted(frame: Picture, faces: CheckedFace[], most: number): Promise<CheckedFace[]> {
    const found = await this.turnedFaces(frame, most);
    const kept = faces.filter((face) => face.isCertain || !found.some((other) => isSameFace(face.region, other.region)));
    return [...kept, ...found].slice(0, most);
  }

  private async turnedFaces(frame: Picture, most: number): Promise<CheckedFace[]> {
    const faces: CheckedFace[] = [];
    for (const turns of [1, 2, 3]) {
      for (const candidate of await this.detector.detect(frame, turns)) {
        if (faces.length >= most || faces.some((face) => isSameFace(candidate.region, face.region))) continue;
        const face = await this.checker.firstLook(frame, candidate.region, false);
        if (face?.isCertain) faces.push(face);
      }
    }
    return faces;
  }

  /** The faces, each once: of two at one place the surer one. */
  private async distinct(frame: Picture, faces: readonly CheckedFace[]): Promise<CheckedFace[]> {
    const kept: CheckedFace[] = [];
    for (const face of faces) {
      const same = kept.findIndex((other) => isSameFace(face.region, other.region));
      if (same < 0) {
        kept.push(face);
        continue;
      }
      const [one, other] = (await this.settled(frame, [kept[same]!, face])) as [CheckedFace, CheckedFace];
      kept[same] = other.presence > one.presence ? other : one;
    }
    return kept;
  }
}

/** Regions to look at: those of the last frame first, then what was found elsewhere. */
function joined(followed: readonly Region[], found: readonly Region[], most: number): Region[] {
  const regions = [...followed];
  for (const region of found) if (regions.every((other) => overlap(region, other) <= SAME_FACE)) regions.push(region);
  return regions.slice(0, most);
}
