/** Every face of one picture by itself: large and small, upright and turned (`edgeau.faces.landmarks.litert.picture_search`). */
import { CheckedFace, FaceChecker } from "./checking";
import { Candidate, FaceDetector } from "./detection";
import facts from "./facts.json";
import { Picture } from "./picture";
import { isSameFace, isTurnedAlike } from "./region";

const TURNS = [1, 2, 3], MOST_TURNED = facts.search.mostTurned;

interface Doubt {
  readonly candidate: Candidate;
  readonly face: CheckedFace;
}

/** The faces, certain ones first. */
export async function facesOfPicture(
  frame: Picture, detector: FaceDetector, checker: FaceChecker, most: number,
): Promise<CheckedFace[]> {
  const found: CheckedFace[] = [], doubtful: Doubt[] = [];
  for (const search of [() => detector.detect(frame), () => detector.detectInTiles(frame)]) {
    for (const candidate of await search()) {
      if (isKnown(candidate, found)) continue;
      const face = await checker.firstLook(frame, candidate.region, !candidate.fromTile);
      if (!face) continue;
      if (!face.isCertain) {
        doubtful.push({ candidate, face });
        continue;
      }
      add(face, found);
      if (found.length >= most) return found;
    }
  }
  await addTurned(frame, detector, checker, found, doubtful, most);
  if (!found.length) {
    for (const turns of TURNS) {
      const places = found.map((face) => face.region);
      for (const candidate of await detector.detectInTiles(frame, turns, places)) {
        if (found.length >= most) break;
        if (isKnown(candidate, found)) continue;
        const face = await checker.firstLook(frame, candidate.region, false);
        if (face?.isCertain) add(face, found);
      }
    }
  }
  // What the whole frame shows is given with its doubt; what only a tile shows is mostly no face.
  for (const { candidate, face } of doubtful) {
    if (!candidate.fromTile && found.length < most && !isKnown(candidate, found)) add(face, found);
  }
  return found;
}

/** Faces that stand on their sides or heads. */
async function addTurned(
  frame: Picture, detector: FaceDetector, checker: FaceChecker, found: CheckedFace[], doubtful: readonly Doubt[], most: number,
): Promise<void> {
  for (const turns of TURNS) {
    for (const candidate of await detector.detect(frame, turns)) {
      if (found.length >= most || isKnown(candidate, found)) continue;
      const face = await checker.firstLook(frame, candidate.region, false);
      if (face?.isCertain) add(uprightOne(face, doubtful), found);
    }
  }
  for (const { candidate } of doubtful.slice(0, MOST_TURNED)) {
    if (found.length >= most || isKnown(candidate, found)) continue;
    const face = await checker.findTurned(frame, candidate.region);
    if (face) add(face, found);
  }
}

/** What a turned search found; where that is an upright face which was doubted, the points of its first look. */
function uprightOne(face: CheckedFace, doubtful: readonly Doubt[]): CheckedFace {
  const same = doubtful.find(
    ({ candidate, face: other }) =>
      !candidate.fromTile && other.isReliable && isSameFace(face.region, other.region) && isTurnedAlike(face.region, other.region),
  );
  return same ? { ...same.face, presence: face.presence, isCertain: true } : face;
}

function add(face: CheckedFace, faces: CheckedFace[]): void {
  if (!faces.some((other) => isSameFace(face.region, other.region))) faces.push(face);
}

function isKnown(candidate: Candidate, faces: readonly CheckedFace[]): boolean {
  return faces.some((face) => isSameFace(candidate.region, face.region));
}
