/** Where pictures come from: a camera, a clip, or one picture. */
import { PageError } from "./errors";
import facts from "./facts.json";

const MOST_PIXELS = 64e6;
const BEHIND = `rgb(${facts.behind} ${facts.behind} ${facts.behind})`;

export async function openCamera(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new PageError("The camera can only be used on a page from https or localhost. Clips and pictures work here too.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } } });
  } catch (error) {
    throw new PageError(whyNoCamera(error));
  }
}

function whyNoCamera(error: unknown): string {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "The camera may not be used: allow it for this page in the browser, then press Camera again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "This device has no camera. Connect one, then press Camera again, or choose a picture or video.";
    case "NotReadableError":
    case "AbortError":
      return "The camera does not answer: another program may be using it. Close that, then press Camera again.";
    default:
      return `The camera cannot be used (${error instanceof Error ? error.message : String(error)}). Press Camera to try again.`;
  }
}

/** A picture file as it is seen: turned upright, in sRGB. */
export async function openPicture(file: Blob, name: string): Promise<ImageBitmap> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none" });
  } catch {
    throw new PageError(`This browser cannot open ${name} as a picture. Choose a JPEG, PNG or WebP file.`);
  }
  const { width, height } = picture;
  if (width * height > MOST_PIXELS) {
    picture.close();
    throw new PageError(`${name} has ${width} x ${height} pixels; pictures up to 64 million pixels can be used.`);
  }
  return picture;
}

/** Paint a picture over mid-grey, which shows where it is transparent, as Python reads it. */
export function paint(context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, picture: ImageBitmap): void {
  context.fillStyle = BEHIND;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(picture, 0, 0);
}
