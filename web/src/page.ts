/** The page: sources in, bars out. */
import { Analyst, Answer } from "./analyst";
import { Cards } from "./cards";
import { at, write } from "./dom";
import { PageError } from "./errors";
import { About } from "./messages";
import { keepOffline } from "./offline";
import { FilmClock } from "./film-clock";
import { drawOutlines } from "./outlines";
import { SMOOTHING_LATENCY_S } from "./smoothing";
import { openCamera, openPicture } from "./sources";

const RATE_S = 2;

const film = at<HTMLVideoElement>("film"), still = at<HTMLCanvasElement>("still"), stage = at("stage");
const analyst = new Analyst((what) => write("state", what));
let cards: Cards, stop: () => void = () => undefined, turn = 0;

async function begin(): Promise<void> {
  // First: what the service worker keeps is then not loaded twice.
  write("state", "keeping the page on this device");
  write("offline", await keepOffline());
  const about = await analyst.open(new URL("./", location.href).href);
  cards = new Cards(about);
  describe(about);
  for (const id of ["camera", "clip", "choose"]) at<HTMLButtonElement>(id).disabled = false;
  write("state", "ready");
}

function describe(about: About): void {
  at("untrained").hidden = about.trained;
  write("network", `${about.title}, ${about.artifact}`);
  write("engine", about.engine);
  const { crops, probability } = about.golden;
  write("golden", `${crops} crops, largest difference of a probability ${probability.toFixed(4)}`);
  write("smoothed", `Probabilities, smoothed: at most ${SMOOTHING_LATENCY_S.toFixed(2)} s behind.`);
}

/** Show an error: in one sentence where the person can do something. */
function complain(error: unknown): void {
  const said = error instanceof Error ? error.message : String(error);
  const problem = at("problem");
  problem.textContent = error instanceof PageError ? said : `The page failed: ${said}. Load it again.`;
  problem.hidden = false;
  if (!cards) write("state", "stopped");
}

/** Begin with another source; what ran before is stopped and forgotten. */
function change(id: "camera" | "clip" | "choose"): boolean {
  const wasOn = at(id).getAttribute("aria-pressed") === "true";
  stop();
  at("problem").hidden = true;
  return !wasOn;
}

function idle(): void {
  turn++;
  film.pause();
  const stream = film.srcObject;
  if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
  film.srcObject = null;
  if (film.src) URL.revokeObjectURL(film.src);
  film.removeAttribute("src");
  for (const id of ["camera", "clip"]) at(id).setAttribute("aria-pressed", "false");
  for (const element of [film, still, at("outlines")]) element.hidden = true;
  at("invitation").hidden = false;
  cards.clear();
  for (const id of ["fps", "took", "first"]) write(id, "-");
  write("state", "ready");
}

async function useCamera(): Promise<void> {
  if (!change("camera")) return;
  write("state", "asking for the camera");
  const mine = turn, stream = await openCamera();
  if (mine !== turn) return stream.getTracks().forEach((track) => track.stop());
  film.srcObject = stream;
  await play("camera");
  for (const track of stream.getTracks()) {
    const hear = (kind: "ended" | "mute" | "unmute", act: () => void): void => {
      track.addEventListener(kind, () => {
        if (film.srcObject === stream) act();
      });
    };
    hear("ended", () => {
      stop();
      complain(new PageError("The camera was lost. Connect it again, then press Camera."));
    });
    // Such as on a phone that is locked, or while another app has the camera.
    hear("mute", () => write("state", "the camera sends no picture"));
    hear("unmute", () => write("state", "running"));
  }
}

async function useFilm(source: string, name: string): Promise<void> {
  film.src = source;
  try {
    await play("clip");
  } catch {
    stop();
    throw new PageError(`This browser cannot play ${name} as a video. Choose an MP4 or WebM file.`);
  }
}

async function play(id: "camera" | "clip"): Promise<void> {
  stop = idle;
  at("invitation").hidden = true;
  film.hidden = false;
  await film.play();
  at(id).setAttribute("aria-pressed", "true");
  analyst.reset();
  cards.clear();
  write("state", "running");
  void follow(turn).catch((error: unknown) => {
    stop();
    complain(error);
  });
}

/** The newest frame whenever the networks are free. */
async function follow(mine: number): Promise<void> {
  const clock = new FilmClock(film), ends: number[] = [];
  let firstMs: number | undefined;
  try {
    for (;;) {
      const shownMs = await clock.newest();
      if (mine !== turn) return;
      firstMs ??= shownMs;
      const picture = await createImageBitmap(film), { width, height } = picture, timeS = shownMs / 1000;
      const answer = await analyst.look(picture, timeS);
      if (mine !== turn) return;
      show(answer, width, height, timeS);
      const nowMs = performance.now();
      if (answer.faces.length && at("first").textContent === "-") write("first", `${((nowMs - firstMs) / 1000).toFixed(2)} s`);
      ends.push(nowMs);
      while (ends[0]! < nowMs - 1000 * RATE_S) ends.shift();
      if (ends.length > 1) write("fps", ((1000 * (ends.length - 1)) / (nowMs - ends[0]!)).toFixed(0));
    }
  } finally {
    clock.stop();
  }
}

async function usePicture(file: Blob, name: string): Promise<void> {
  stop();
  const mine = turn, picture = await openPicture(file, name), { width, height } = picture;
  stop = idle;
  [still.width, still.height] = [width, height];
  still.getContext("2d")!.drawImage(picture, 0, 0);
  still.hidden = false;
  at("invitation").hidden = true;
  write("state", `looking at ${name}`);
  const answer = await analyst.look(picture, null);
  if (mine !== turn) return;
  show(answer, width, height, 0);
  write("state", `${name}: ${answer.faces.length} ${answer.faces.length === 1 ? "face" : "faces"}`);
}

function show(answer: Answer, width: number, height: number, timeS: number): void {
  cards.show(answer.faces, timeS);
  drawOutlines(answer.faces, width, height);
  write("took", `${answer.tookMs.toFixed(0)} ms`);
}

function useFile(file: File | null | undefined): void {
  if (!file || !cards) return;
  at("problem").hidden = true;
  const used = file.type.startsWith("video/") ? (stop(), useFilm(URL.createObjectURL(file), file.name)) : usePicture(file, file.name);
  used.catch(complain);
}

at("camera").onclick = () => void useCamera().catch((error: unknown) => {
  stop();
  write("state", "ready");
  complain(error);
});
at("clip").onclick = () => {
  if (change("clip")) useFilm("clip.webm", "The sample clip").catch(complain);
};
const chosen = at<HTMLInputElement>("file");
at("choose").onclick = () => chosen.click();
chosen.onchange = () => {
  useFile(chosen.files?.[0]);
  chosen.value = "";
};
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    stage.classList.add("over");
  });
}
document.addEventListener("dragleave", () => stage.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  stage.classList.remove("over");
  useFile(event.dataTransfer?.files[0]);
});
document.addEventListener("paste", (event) => useFile(event.clipboardData?.files[0]));

begin().catch(complain);
