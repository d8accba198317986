/** Where pictures come from: a camera, a clip, or one picture. */
import { PageError } from "./errors";

const MOST_PIXELS = 64e6;

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
  if (picture.width * picture.height > MOST_PIXELS) {
    throw new PageError(`${name} has ${picture.width} x ${picture.height} pixels; pictures up to 64 million pixels can be used.`);
  }
  return picture;
}
