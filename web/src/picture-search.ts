/** Every face of one picture by itself: large and small, upright and turned (`edgeau.faces.landmarks.litert.picture_search`). */
import { CheckedFace, FaceChecker } from "./checking";
import { Candidate, FaceDetector } from "./detection";
import facts from "./facts.json";
import { Picture } from "./picture";
import { isSameFace, isTurnedAlike } from "./region";

const TURNS = [1, 2, 3], MOST_TURNED = facts.search.mostTurned;
// Score of the detector in the whole frame from which on something is a face, whatever its landmarks are worth.
const FACE_SCORE = facts.search.faceScore;

interface Doubt {
  readonly candidate: Candidate;
  readonly face: CheckedFace;
}

/** What the upright searches gave. */
interface Upright {
  readonly found: CheckedFace[];
  /** Faces of the whole frame that are rather right than garbage. */
  readonly likely: Doubt[];
  readonly doubtful: Doubt[];
}

/**
 * The faces, certain ones first. No search in tiles where the whole frame shows as many as are asked for, certain or likely, and none in
 * turned tiles where it shows any, or where the detector is sure of one whose landmarks are doubtful.
 */
export async function facesOfPicture(
  frame: Picture, detector: FaceDetector, checker: FaceChecker, most: number,
): Promise<CheckedFace[]> {
  const upright: Upright = { found: [], likely: [], doubtful: [] };
  const { found, likely, doubtful } = upright;
  await addUpright(frame, await detector.detect(frame), checker, upright, most);
  if (found.length + likely.length < most) await addUpright(frame, await detector.detectInTiles(frame), checker, upright, most);
  if (found.length >= most) return found;
  await addTurned(frame, detector, checker, upright, most);
  if (!found.length && !likely.length && !seesDoubtful(doubtful)) {
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
  for (const { candidate, face } of [...likely, ...doubtful]) {
    if (!candidate.fromTile && found.length < most && !isKnown(candidate, found)) add(face, found);
  }
  return found;
}

async function addUpright(
  frame: Picture, candidates: readonly Candidate[], checker: FaceChecker, { found, likely, doubtful }: Upright, most: number,
): Promise<void> {
  for (const candidate of candidates) {
    if (found.length >= most) break;
    if (isKnown(candidate, found)) continue;
    const whole = !candidate.fromTile, face = await checker.firstLook(frame, candidate.region, whole, whole ? candidate.score : 0);
    if (!face) continue;
    if (face.isCertain) add(face, found);
    else if (face.isReliable && whole && !isKnown(candidate, likely.map((other) => other.face))) likely.push({ candidate, face });
    else doubtful.push({ candidate, face });
  }
}

/**
 * Faces that stand on their sides or heads. Where a likely face is, the detector is the surer the nearer to upright it sees it: what it is
 * less sure of in a turned frame is that face seen askew.
 */
async function addTurned(
  frame: Picture, detector: FaceDetector, checker: FaceChecker, { found, likely, doubtful }: Upright, most: number,
): Promise<void> {
  for (const turns of TURNS) {
    for (const candidate of await detector.detect(frame, turns)) {
      if (found.length >= most || isKnown(candidate, found) || isAskew(candidate, likely)) continue;
      const face = await checker.firstLook(frame, candidate.region, false);
      if (face?.isCertain) add(uprightOne(face, likely), found);
    }
  }
  for (const { candidate } of doubtful.slice(0, MOST_TURNED)) {
    if (found.length >= most || isKnown(candidate, found)) continue;
    const face = await checker.findTurned(frame, candidate.region);
    if (face) add(face, found);
  }
}

/** The detector is sure that the whole frame shows a face, though its landmarks are doubtful. */
function seesDoubtful(doubtful: readonly Doubt[]): boolean {
  return doubtful.some(({ candidate }) => !candidate.fromTile && candidate.score >= FACE_SCORE);
}

function isAskew(candidate: Candidate, likely: readonly Doubt[]): boolean {
  return likely.some((upright) => isSameFace(candidate.region, upright.face.region) && candidate.score <= upright.candidate.score);
}

/** What a turned search found; where that is an upright face which was doubted, the points of its first look. */
function uprightOne(face: CheckedFace, likely: readonly Doubt[]): CheckedFace {
  const same = likely.find(({ face: other }) => isSameFace(face.region, other.region) && isTurnedAlike(face.region, other.region));
  return same ? { ...same.face, presence: face.presence, isCertain: true } : face;
}

function add(face: CheckedFace, faces: CheckedFace[]): void {
  if (!faces.some((other) => isSameFace(face.region, other.region))) faces.push(face);
}

function isKnown(candidate: Candidate, faces: readonly CheckedFace[]): boolean {
  return faces.some((face) => isSameFace(candidate.region, face.region));
}
