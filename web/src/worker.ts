/** Everything that computes, apart from the page. A classic worker: LiteRT.js loads its runtime by importScripts. */
import { startEngine } from "./engine";
import { PageError } from "./errors";
import { FromWorker, ToWorker } from "./messages";
import { Picture } from "./picture";
import { Pipeline } from "./pipeline";
import { paint } from "./sources";

let pipeline: Pipeline | undefined;
let queue: Promise<void> = Promise.resolve();
let canvas: OffscreenCanvas | undefined;

function say(message: FromWorker): void {
  postMessage(message);
}

self.onmessage = (event: MessageEvent<ToWorker>): void => {
  queue = queue.then(() => act(event.data)).catch((error: unknown) => {
    const said = error instanceof Error ? error.message : String(error);
    say({ kind: "failed", said, user: error instanceof PageError });
  });
};

async function act(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "open":
      return open(message.folder);
    case "reset":
      return pipeline?.reset();
    case "crop": {
      if (!pipeline) throw new Error("a crop came before the bundle was open");
      return say({ kind: "logits", number: message.number, logits: await pipeline.predictor.network.logits(message.picture) });
    }
    case "frame": {
      const started = performance.now(), picture = pixels(message.picture);
      if (!pipeline) throw new Error("a frame came before the bundle was open");
      const faces = message.timeS === null ? await pipeline.process(picture) : await pipeline.track(picture, message.timeS);
      say({ kind: "faces", number: message.number, faces, tookMs: performance.now() - started });
    }
  }
}

async function open(folder: string): Promise<void> {
  const progress = (said: string): void => say({ kind: "progress", said });
  progress("starting the WebAssembly runtime");
  const engine = await startEngine(new URL("litert/", folder).href);
  pipeline = await Pipeline.load(folder, progress);
  const { predictor, artifact, bundle, golden } = pipeline, { network } = bundle.manifest;
  say({
    kind: "ready",
    about: {
      labels: predictor.labels,
      thresholds: predictor.thresholds,
      title: network.title,
      trained: network.trained,
      engine,
      artifact: artifact.file,
      precision: artifact.precision,
      golden,
    },
  });
}

function pixels(picture: ImageBitmap | ImageData): Picture {
  if (picture instanceof ImageData) return picture;
  const { width, height } = picture;
  if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false })!;
  paint(context, picture);
  picture.close();
  return context.getImageData(0, 0, width, height);
}
