/** The bars of each face, with the last seconds as lines. */
import { at, make } from "./dom";
import { About } from "./messages";
import { facsName, meaningOf } from "./names";
import type { Face } from "./pipeline";
import type { ActionUnit, ActionUnits } from "./predictor";

const SECONDS = 8;

interface Row {
  readonly row: HTMLElement;
  readonly track: HTMLElement;
  readonly fill: HTMLElement;
  readonly left: HTMLElement;
  readonly right: HTMLElement;
  readonly ticks: readonly HTMLElement[];
  readonly line: HTMLCanvasElement;
  readonly value: HTMLElement;
}

interface Card {
  readonly box: HTMLElement;
  readonly rows: ReadonlyMap<string, Row>;
  history: { timeS: number; aus: ActionUnits }[];
}

export class Cards {
  private readonly cards = new Map<number, Card>();

  constructor(private readonly about: About) {}

  clear(): void {
    for (const card of this.cards.values()) card.box.remove();
    this.cards.clear();
    at("no-face").hidden = true;
  }

  /** Faces of a stream by their numbers, of a picture in their order. */
  show(faces: readonly Face[], timeS: number): void {
    const seen = new Set<number>();
    faces.forEach((face, place) => {
      const number = face.trackId ?? place;
      seen.add(number);
      const card = this.cards.get(number) ?? this.made(number);
      card.history.push({ timeS, aus: face.aus });
      card.history = card.history.filter((point) => timeS - point.timeS >= 0 && timeS - point.timeS <= SECONDS);
      for (const [label, row] of card.rows) this.draw(row, label, face.aus[label]!, card, timeS);
    });
    for (const [number, card] of this.cards) {
      if (seen.has(number)) continue;
      card.box.remove();
      this.cards.delete(number);
    }
    at("no-face").hidden = faces.length > 0;
  }

  private made(number: number): Card {
    const box = make("article", "face", at("faces")), rows = new Map<string, Row>();
    make("h2", "", box).textContent = `Face ${number}`;
    const list = make("ul", "", box);
    for (const label of this.about.labels) rows.set(label, makeRow(label, list));
    const card = { box, rows, history: [] };
    this.cards.set(number, card);
    return card;
  }

  private draw(parts: Row, label: string, unit: ActionUnit, card: Card, timeS: number): void {
    const { row, track, value } = parts, known = unit.probability !== null;
    row.classList.toggle("active", Boolean(unit.active));
    row.classList.toggle("refused", !known);
    drawBar(parts, unit, this.about.thresholds[label]!);
    value.textContent = known ? unit.probability!.toFixed(2) : (unit.reason ?? "-");
    row.title = unit.reason ? `Not read: ${meaningOf(unit.reason)}` : "";
    track.setAttribute("aria-valuenow", String(unit.probability ?? 0));
    track.setAttribute("aria-valuetext", known ? spoken(unit) : row.title);
    drawLine(parts.line, label, card.history, timeS);
  }
}

function makeRow(label: string, list: HTMLElement): Row {
  const row = make("li", "au", list), name = make("span", "name", row), long = facsName(label);
  row.dataset["au"] = label;
  name.textContent = label;
  if (long !== label) make("small", "", name).textContent = long;
  const track = make("span", "track", row);
  track.setAttribute("role", "meter");
  track.setAttribute("aria-valuemin", "0");
  track.setAttribute("aria-valuemax", "1");
  track.setAttribute("aria-label", long === label ? label : `${label}, ${long}`);
  const fill = make("span", "fill", track), right = make("span", "arm right", track), left = make("span", "arm left", track);
  const ticks = [make("span", "tick", track), make("span", "tick", track)];
  const line = make("canvas", "", row);
  line.setAttribute("aria-hidden", "true");
  return { row, track, fill, left, right, ticks, line, value: make("span", "value", row) };
}

/** An action unit with sides has two arms from the middle, as its person is seen: the own right side on the left. */
function drawBar(parts: Row, unit: ActionUnit, threshold: number): void {
  const known = unit.probability !== null, sided = known ? unit.left !== null : parts.track.classList.contains("sided");
  parts.track.classList.toggle("sided", sided);
  parts.fill.style.width = `${100 * (known && !sided ? unit.probability! : 0)}%`;
  parts.left.style.width = `${50 * (unit.left ?? 0)}%`;
  parts.right.style.width = `${50 * (unit.right ?? 0)}%`;
  parts.ticks[0]!.style.left = `${sided ? 50 + 50 * threshold : 100 * threshold}%`;
  parts.ticks[1]!.style.left = `${50 - 50 * threshold}%`;
}

function spoken(unit: ActionUnit): string {
  const sides = unit.left === null ? "" : `, left ${unit.left.toFixed(2)}, right ${unit.right!.toFixed(2)}`;
  return `${unit.probability!.toFixed(2)}${unit.active ? ", active" : ""}${sides}`;
}

function drawLine(canvas: HTMLCanvasElement, label: string, history: Card["history"], timeS: number): void {
  const width = (canvas.width = canvas.clientWidth * 2), height = (canvas.height = canvas.clientHeight * 2);
  const context = canvas.getContext("2d")!;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--bar");
  context.lineWidth = 2;
  context.beginPath();
  let pen = false;
  for (const point of history) {
    const likely = point.aus[label]?.probability ?? null;
    if (likely === null) {
      pen = false;
      continue;
    }
    const x = width * (1 + (point.timeS - timeS) / SECONDS), y = 2 + (height - 4) * (1 - likely);
    if (pen) context.lineTo(x, y);
    else context.moveTo(x, y);
    pen = true;
  }
  context.stroke();
}
