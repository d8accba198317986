/** The page: sources in, bars out. */
import { Analyst, Answer } from "./analyst";
import { Cards } from "./cards";
import { at, write } from "./dom";
import { PageError } from "./errors";
import { About } from "./messages";
import { keepOffline, letNewerTakeOver } from "./offline";
import { FilmClock } from "./film-clock";
import { drawOutlines } from "./outlines";
import { SMOOTHING_LATENCY_S } from "./smoothing";
import { openCamera, openPicture, paint } from "./sources";

const RATE_S = 2;

const film = at<HTMLVideoElement>("film"), still = at<HTMLCanvasElement>("still"), stage = at("stage");
const analyst = new Analyst((what) => write("state", what));
let cards: Cards;
/** Of the source that was chosen last; what belongs to another one is neither shown nor complained about. */
let turn = 0;
/** The camera sends no picture: what it sent before is no longer shown. */
let muted = false;

async function begin(): Promise<void> {
  // First: what the service worker keeps is then not loaded twice.
  write("state", "keeping the page on this device");
  write("offline", await keepOffline());
  try {
    const about = await analyst.open(new URL("./", location.href).href);
    cards = new Cards(about);
    describe(about);
  } finally {
    letNewerTakeOver();
  }
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

/** Stop what runs and forget it; returns the turn of what comes next. */
function stop(): number {
  film.pause();
  film.onerror = null;
  muted = false;
  const stream = film.srcObject;
  if (stream instanceof MediaStream) endTracks(stream);
  film.srcObject = null;
  if (film.src) URL.revokeObjectURL(film.src);
  film.removeAttribute("src");
  for (const id of ["camera", "clip"]) at(id).setAttribute("aria-pressed", "false");
  for (const element of [film, still, at("outlines")]) element.hidden = true;
  at("invitation").hidden = false;
  cards.clear();
  for (const id of ["fps", "took", "first"]) write(id, "-");
  write("state", "ready");
  return ++turn;
}

/** Begin with another source, which runs until the turn is another one. */
function start(source: (mine: number) => Promise<void>): void {
  at("problem").hidden = true;
  const mine = stop();
  source(mine).catch((error: unknown) => {
    // A film that is left while it begins fails too, and so does a picture of it.
    if (mine !== turn) return;
    stop();
    complain(error);
  });
}

/** A button that begins its source, or ends it where it runs. */
function press(id: "camera" | "clip", source: (mine: number) => Promise<void>): void {
  if (at(id).getAttribute("aria-pressed") !== "true") return start(source);
  at("problem").hidden = true;
  stop();
}

async function useCamera(mine: number): Promise<void> {
  write("state", "asking for the camera");
  const stream = await openCamera();
  if (mine !== turn) return endTracks(stream);
  film.srcObject = stream;
  for (const track of stream.getTracks()) {
    const hear = (kind: "ended" | "mute" | "unmute", act: () => void): void => {
      track.addEventListener(kind, () => {
        if (mine === turn) act();
      });
    };
    hear("ended", () => {
      stop();
      complain(new PageError("The camera was lost. Connect it again, then press Camera."));
    });
    // Such as on a phone that is locked, or while another app has the camera.
    hear("mute", () => {
      muted = true;
      cards.clear();
      at("outlines").hidden = true;
      write("state", "the camera sends no picture");
    });
    hear("unmute", () => {
      muted = false;
      write("state", "running");
    });
  }
  show(film);
  await film.play();
  await follow(mine, "camera");
}

function endTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function useFilm(mine: number, source: string, name: string): Promise<void> {
  const unplayable = new PageError(`This browser cannot play ${name} as a video. Choose an MP4 or WebM file.`);
  // Also of a film that is damaged further on: it would stand still, and its last bars with it.
  const broken = new Promise<never>((_, reject) => (film.onerror = () => reject(unplayable)));
  film.src = source;
  show(film);
  await Promise.race([film.play().catch(() => Promise.reject(unplayable)), broken]);
  await Promise.race([follow(mine, "clip"), broken]);
}

/** The newest frame whenever the networks are free. */
async function follow(mine: number, id: "camera" | "clip"): Promise<void> {
  if (mine !== turn) return;
  at(id).setAttribute("aria-pressed", "true");
  analyst.reset();
  write("state", "running");
  const clock = new FilmClock(film), ends: number[] = [];
  let firstMs: number | undefined;
  try {
    for (;;) {
      const shownMs = await clock.newest();
      if (mine !== turn) return;
      firstMs ??= shownMs;
      const picture = await createImageBitmap(film), { width, height } = picture, timeS = shownMs / 1000;
      if (mine !== turn) return picture.close();
      const answer = await analyst.look(picture, timeS);
      if (mine !== turn) return;
      if (muted) continue;
      draw(answer, width, height, timeS);
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

async function usePicture(mine: number, file: Blob, name: string): Promise<void> {
  const picture = await openPicture(file, name), { width, height } = picture;
  if (mine !== turn) return picture.close();
  [still.width, still.height] = [width, height];
  paint(still.getContext("2d")!, picture);
  show(still);
  write("state", `looking at ${name}`);
  const answer = await analyst.look(picture, null);
  if (mine !== turn) return;
  draw(answer, width, height, 0);
  write("state", `${name}: ${answer.faces.length} ${answer.faces.length === 1 ? "face" : "faces"}`);
}

function show(source: HTMLElement): void {
  at("invitation").hidden = true;
  source.hidden = false;
}

function draw(answer: Answer, width: number, height: number, timeS: number): void {
  cards.show(answer.faces, timeS);
  drawOutlines(answer.faces, width, height);
  write("took", `${answer.tookMs.toFixed(0)} ms`);
}

function useFile(file: File | null | undefined): void {
  if (!file || !cards) return;
  const isFilm = file.type.startsWith("video/");
  start((mine) => (isFilm ? useFilm(mine, URL.createObjectURL(file), file.name) : usePicture(mine, file, file.name)));
}

at("camera").onclick = () => press("camera", useCamera);
at("clip").onclick = () => press("clip", (mine) => useFilm(mine, "clip.webm", "The sample clip"));
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
