// The page: numbers come over one WebSocket, the picture is an <img>, changes are posted.
const at = (id) => document.getElementById(id);
const SECONDS = 8, GRID_S = 2, EXPERIMENTAL = "Experimental: not proven on real faces", FRAME_MS = 66, RETRY_MS = 1000, WATCH_MS = 2000, EYES_DEG = 30;
let about = null, latest = null, histories = new Map(), marks = new Map(), cards = new Map(), socket = null, shownEvents = "";

function say(text) { if (at("state").textContent !== text) at("state").textContent = text; }

async function begin() {
  try {
    const response = await fetch("about");
    if (!response.ok) throw new Error((await response.text()).trim());
    about = await response.json();
  } catch (error) {
    say(`no answer: ${error.message}`);
    setTimeout(begin, RETRY_MS);
    return;
  }
  at("untrained").hidden = about.trained;
  at("video").hidden = !about.video;
  at("no-video").hidden = about.video;
  at("calibrate").disabled = !about.neutral;
  at("camera").disabled = !navigator.mediaDevices;
  at("snapshot").disabled = !about.video;
  at("share").hidden = !about.share;
  at("smoothed").textContent = about.smoothed_s === null
    ? "Probabilities of each frame, not smoothed." : `Probabilities, smoothed: at most ${about.smoothed_s.toFixed(2)} s behind; a recording has the raw ones too.`;
  at("no-face").textContent = `No face in the picture. Faces from ${(100 * about.smallest_face).toFixed(1)} % of the picture's long side on are found.`;
  const banded = Object.keys(about.bands).length > 0;
  at("band-key").hidden = !banded;
  at("band").textContent = banded ? `An action unit comes on above the upper edge of its band and stays on until it is below the lower one, so that it does not flicker; large timelines show the band.` : "An action unit is on at its threshold and above.";
  if (about.video) at("video").src = `video?${Date.now()}`;
  listen();
}

async function renew() {
  const response = await fetch("about");
  if (response.ok) about = await response.json();
}

function listen() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/numbers`);
  socket.onopen = () => say("running");
  socket.onmessage = (event) => { latest = JSON.parse(event.data); };
  socket.onclose = () => {
    say("the program does not answer; trying again");
    latest = null;
    setTimeout(begin, RETRY_MS);
  };
}

function draw() {
  requestAnimationFrame(draw);
  const now = latest;
  if (!now || now.drawn) return;
  now.drawn = true;
  at("fps").textContent = now.fps.toFixed(0);
  at("age").textContent = `${now.age_ms.toFixed(0)} ms`;
  at("every").textContent = now.every === 1 ? "frame" : `${now.every} frames`;
  at("dropped").textContent = now.dropped;
  at("engine").textContent = `${now.engine}, ${now.precision}`;
  at("record").setAttribute("aria-pressed", now.recording);
  at("record").textContent = now.recording ? `Stop recording (${now.recorded})` : "Record";
  at("saves").hidden = now.recording || now.recorded === 0;
  say(now.calibrating === null ? now.said || "running" : `${now.said} (${Math.round(100 * now.calibrating)} %)`);
  if (running !== now.artifact) {
    if (running) renew();  // each artifact has thresholds of its own
    running = now.artifact;
    markRunning();
  }
  markEvents(now);
  drawFaces(now);
  drawEvents(now);
}

function drawFaces(now) {
  const seen = new Set();
  for (const face of now.faces) {
    seen.add(face.id);
    let card = cards.get(face.id);
    if (!card) { card = makeCard(face); cards.set(face.id, card); at("faces").append(card.box); }
    remember(face, now.time);
    drawCard(card, face, now.time);
    arrange(card, face);
  }
  for (const [id, card] of cards) if (!seen.has(id)) { card.box.remove(); cards.delete(id); histories.delete(id); marks.delete(id); }
  at("no-face").hidden = seen.size > 0;
}

function make(kind, name, parent) {
  const element = document.createElement(kind);
  if (name) element.className = name;
  parent?.append(element);
  return element;
}

function makeCard(face) {
  const box = make("article", "face"), rows = new Map();
  const title = make("h2", "", box), dot = make("span", "dot", title);
  dot.style.background = about.colours[Math.max(0, face.id ?? 0) % about.colours.length];
  title.append(`Face ${face.id ?? ""}`);
  const note = make("p", "note", box), list = make("ul", "", box);
  note.hidden = true;
  for (const label of Object.keys(face.aus)) {
    const row = make("li", "au", list);
    row.dataset.au = label;
    const name = make("span", "name", row), long = about.names[label] ?? label;
    const word = make("button", "word", name);
    word.type = "button";
    word.textContent = label;
    tipOf(word, label);
    if (about.experimental.includes(label)) {
      const mark = make("abbr", "mark", name);
      mark.textContent = "exp";
      mark.title = EXPERIMENTAL;
    }
    if (long !== label) make("small", "", name).textContent = long;
    const track = make("span", "track", row);
    track.setAttribute("role", "meter");
    track.setAttribute("aria-valuemin", "0");
    track.setAttribute("aria-valuemax", "1");
    track.setAttribute("aria-label", long === label ? label : `${label}, ${long}`);
    const fill = make("span", "fill", track), right = make("span", "arm right", track), left = make("span", "arm left", track);
    const ticks = [make("span", "tick", track), make("span", "tick", track)];
    row.dataset.place = list.children.length - 1;
    const why = make("span", "why", row), line = make("canvas", "", row);
    line.setAttribute("aria-hidden", "true");
    rows.set(label, { row, track, fill, right, left, ticks, why, line, value: make("span", "value", row) });
  }
  const axis = make("p", "axis", box);
  axis.setAttribute("aria-hidden", "true");
  for (let second = SECONDS; second > 0; second -= GRID_S) make("span", "", axis).textContent = `${second} s ago`;
  make("span", "", axis).textContent = "now";
  return { box, rows, note, list, eyes: makeEyes(box), shapes: makeShapes(box), arranged: 0 };
}

function asked(what) { return about.also.includes(what); }

// Where the eyes look, as the face is seen: the dot at the right is towards the right of the picture.
function makeEyes(box) {
  if (!asked("eyes")) return null;
  const line = make("p", "eyes", box), view = make("span", "look", line), dot = make("i", "", view);
  view.setAttribute("aria-hidden", "true");
  return { dot, words: make("span", "", line) };
}

function drawEyes(part, eyes) {
  part.dot.hidden = !eyes;
  part.words.textContent = `Eyes from the head, uncalibrated: ${eyes ? `${turned(eyes[1], "right", "left")}, ${turned(eyes[0], "up", "down")}` : "closed"}`;
  if (!eyes) return;
  const share = (degrees) => Math.max(-1, Math.min(1, degrees / EYES_DEG));
  part.dot.style.left = `${50 + 45 * share(eyes[1])}%`;
  part.dot.style.top = `${50 - 45 * share(eyes[0])}%`;
}

function turned(degrees, plus, minus) { return `${Math.abs(degrees)}\u00b0 ${degrees < 0 ? minus : plus}`; }

function makeShapes(box) {
  if (!asked("blendshapes")) return null;
  const fold = make("details", "shapes", box), list = make("ul", "", fold), rows = new Map();
  const head = document.createElement("summary");
  head.textContent = "Blendshapes (MediaPipe's, 0 to 1)";
  fold.prepend(head);
  return { fold, list, rows };
}

function drawShapes(part, shapes) {
  if (!part.fold.open || !shapes) return;
  for (const [name, weight] of Object.entries(shapes)) {
    let row = part.rows.get(name);
    if (!row) {
      const item = make("li", "shape", part.list);
      item.dataset.shape = name;
      make("span", "", item).textContent = name;
      const track = make("span", "track", item);
      track.setAttribute("role", "meter");
      track.setAttribute("aria-valuemin", "0");
      track.setAttribute("aria-valuemax", "1");
      track.setAttribute("aria-label", name);
      row = { track, fill: make("span", "fill", track), value: make("span", "value", item) };
      part.rows.set(name, row);
    }
    row.fill.style.width = `${100 * weight}%`;
    row.value.textContent = weight.toFixed(2);
    row.track.setAttribute("aria-valuenow", weight);
  }
}

function remember(face, time) {
  const history = histories.get(face.id) ?? [];
  if (history.length && time < history[history.length - 1].time) history.length = 0;
  history.push({ time, aus: face.aus });
  while (history.length && time - history[0].time > SECONDS) history.shift();
  histories.set(face.id, history);
}

// What kept every action unit from being read is said once, for the face.
function drawNote(card, face) {
  const units = Object.values(face.aus), reasons = new Set(Object.values(face.reasons));
  const same = units.every((unit) => !unit) && reasons.size === 1;
  card.list.hidden = same;
  card.note.hidden = !same;
  if (same) card.note.textContent = notRead([...reasons][0]);
}

function notRead(reason) { return `Not read: ${about.reasons[reason] ?? reason ?? "no answer"}.`; }

function drawCard(card, face, time) {
  drawNote(card, face);
  if (card.eyes) drawEyes(card.eyes, face.eyes);
  if (card.shapes) drawShapes(card.shapes, face.blendshapes);
  for (const [label, part] of card.rows) {
    const unit = face.aus[label], value = unit ? unit[0] : null;
    part.row.classList.toggle("active", Boolean(unit && unit[1]));
    part.row.classList.toggle("refused", !unit);
    drawBar(part, unit, about.thresholds[label]);
    const reason = face.reasons[label];
    part.value.textContent = unit ? value.toFixed(2) : "";
    part.why.textContent = unit ? "" : notRead(reason);
    part.track.setAttribute("aria-valuenow", value ?? 0);
    part.track.setAttribute("aria-valuetext", unit ? spoken(unit) : notRead(reason));
    drawLine(part.line, label, histories.get(face.id), time, marks.get(face.id)?.get(label) ?? []);
  }
}

// An action unit with sides has two arms from the middle, as its person is seen: the own right side on the left.
function drawBar(part, unit, threshold) {
  const sided = unit ? unit.length > 2 : part.track.classList.contains("sided");
  part.track.classList.toggle("sided", sided);
  part.fill.style.width = `${100 * (unit && !sided ? unit[0] : 0)}%`;
  part.left.style.width = `${50 * (unit && sided ? unit[2] : 0)}%`;
  part.right.style.width = `${50 * (unit && sided ? unit[3] : 0)}%`;
  part.ticks[0].style.left = `${sided ? 50 + 50 * threshold : 100 * threshold}%`;
  part.ticks[1].style.left = `${50 - 50 * threshold}%`;
}

function spoken(unit) {
  const sides = unit.length > 2 ? `, left ${unit[2].toFixed(2)}, right ${unit[3].toFixed(2)}` : "";
  return `${unit[0].toFixed(2)}${unit[1] ? ", active" : ""}${sides}`;
}

// Most active first, at rest where they are: rows that tremble cannot be read.
let sorted = false;
function arrange(card, face) {
  if (!sorted || performance.now() - card.arranged < 700) return;
  card.arranged = performance.now();
  const of = (label) => { const unit = face.aus[label]; return unit ? unit[0] + (unit[1] ? 1 : 0) : -1; };
  const rows = [...card.rows].map(([label, part]) => ({ row: part.row, worth: Math.round(20 * of(label)) }));
  rows.sort((a, b) => b.worth - a.worth || a.row.dataset.place - b.row.dataset.place);
  const { list } = card;
  if (rows.some((one, place) => list.children[place] !== one.row) && !list.contains(document.activeElement)) list.append(...rows.map((one) => one.row));
}

function tipOf(word, label) {
  const tip = at("tip");
  const show = () => {
    const drawn = about.plate.includes(label);
    at("moves").textContent = [about.moves[label] || about.names[label] || label, about.experimental.includes(label) ? `${EXPERIMENTAL}.` : "",
      drawn ? "Rendered: at rest, then stronger and stronger; a last picture that is lopsided shows one side alone." : ""].filter(Boolean).join(" ");
    at("strip").hidden = !drawn;
    if (drawn) {
      at("strip").src = `plate/${label}.webp`;
      at("strip").alt = `${label} at rest, at three intensities and on one side, on a rendered face`;
    }
    tip.hidden = false;
    word.setAttribute("aria-describedby", "tip");
    const place = word.getBoundingClientRect(), size = tip.getBoundingClientRect();
    const below = place.bottom + size.height + 8 < innerHeight;
    tip.style.left = `${Math.max(8, Math.min(place.left, innerWidth - size.width - 8)) + scrollX}px`;
    tip.style.top = `${(below ? place.bottom + 4 : Math.max(8, place.top - size.height - 4)) + scrollY}px`;
  };
  const hide = () => { tip.hidden = true; word.removeAttribute("aria-describedby"); };
  word.onmouseenter = word.onfocus = word.onclick = show;
  word.onblur = hide;
  // Rows move under a pointer that rests: what was pressed stays until it loses the focus.
  word.onmouseleave = () => { if (document.activeElement !== word) hide(); };
  word.onkeydown = (event) => { if (event.key === "Escape") hide(); };
}

function drawLine(canvas, label, history, time, events) {
  const width = (canvas.width = canvas.clientWidth * 2), height = (canvas.height = canvas.clientHeight * 2);
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  if (height > 80) drawScale(context, label, history, time, events, width, height, style);
  context.strokeStyle = style.getPropertyValue("--bar");
  context.lineWidth = 2;
  context.beginPath();
  let pen = false;
  for (const point of history) {
    const unit = point.aus[label];
    if (!unit) { pen = false; continue; }
    const x = width * (1 + (point.time - time) / SECONDS), y = 2 + (height - 4) * (1 - unit[0]);
    if (pen) context.lineTo(x, y); else context.moveTo(x, y);
    pen = true;
  }
  context.stroke();
}

// A large timeline: the threshold in its band, the times in which the action unit was on, where it began and ended, and 0 and 1.
function drawScale(context, label, history, time, events, width, height, style) {
  const at_y = (value) => 2 + (height - 4) * (1 - value), at_x = (when) => width * (1 + (when - time) / SECONDS);
  const threshold = about.thresholds[label], band = about.bands[label];
  context.fillStyle = style.getPropertyValue("--line");
  if (band) context.fillRect(0, at_y(band[1]), width, at_y(band[0]) - at_y(band[1]));
  for (let second = GRID_S; second < SECONDS; second += GRID_S) context.fillRect(at_x(time - second), 0, 1, height);
  context.fillStyle = style.getPropertyValue("--on");
  context.globalAlpha = 0.25;
  for (let place = 1; place < history.length; place += 1) {
    const before = history[place - 1], point = history[place];
    if (before.aus[label]?.[1]) context.fillRect(at_x(before.time), 0, at_x(point.time) - at_x(before.time), height);
  }
  context.globalAlpha = 1;
  context.font = "20px system-ui, sans-serif";
  for (const one of events) {
    const x = at_x(one.time);
    context.fillRect(x - 1, 0, 2, height);
    if (one.kind === "onset" && one.side && one.side !== "both") context.fillText(one.side[0].toUpperCase(), x + 5, 20);
  }
  context.fillStyle = style.getPropertyValue("--soft");
  context.fillText("1", 2, 20);
  context.fillText("0", 2, height - 6);
  context.strokeStyle = style.getPropertyValue("--soft");
  context.lineWidth = 1;
  context.setLineDash([6, 6]);
  context.beginPath();
  context.moveTo(0, at_y(threshold));
  context.lineTo(width, at_y(threshold));
  context.stroke();
  context.setLineDash([]);
}

// Events of the last seconds by face and action unit: a message brings the newest few.
function markEvents(now) {
  const there = new Set(now.faces.map((face) => face.id));
  for (const one of now.events) {
    if (!there.has(one.face)) continue;  // nobody would forget the marks of a face that has gone
    if (!marks.has(one.face)) marks.set(one.face, new Map());
    const all = marks.get(one.face);
    const kept = (all.get(one.label) ?? []).filter((other) => other.time <= now.time && now.time - other.time < SECONDS);
    if (one.time <= now.time && !kept.some((other) => other.time === one.time && other.kind === one.kind)) kept.push(one);
    all.set(one.label, kept);
  }
}

function drawEvents(now) {
  const named = (label) => (about.names[label] && about.names[label] !== label ? `${label} ${about.names[label].toLowerCase()}` : label);
  const lines = now.events.map((one) => `${one.time.toFixed(1)} s: ${named(one.label)} ${one.kind === "onset" ? "began" : "ended"}${one.side && one.side !== "both" ? ` on the ${one.side}` : ""} (face ${one.face})`);
  const joined = lines.join("\n");
  if (joined === shownEvents) return;
  shownEvents = joined;
  at("events").replaceChildren(...lines.reverse().map((text) => { const item = document.createElement("li"); item.textContent = text; return item; }));
}

async function order(command) {
  const response = await fetch("do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(command) });
  if (!response.ok) say((await response.text()).trim());
}

at("record").onclick = () => order({ do: "record", on: at("record").getAttribute("aria-pressed") !== "true" });
function toggled(id, change) {
  at(id).onclick = () => {
    const on = at(id).getAttribute("aria-pressed") !== "true";
    at(id).setAttribute("aria-pressed", on);
    change(on);
  };
}
toggled("order", (on) => {
  sorted = on;
  if (on) return;
  for (const card of cards.values()) card.list.append(...[...card.rows.values()].map((part) => part.row));
});
toggled("large", (on) => document.querySelector("main").classList.toggle("large", on));
at("share").onclick = () => {
  const shown = at("share-box").hidden;
  at("share-box").hidden = !shown;
  at("share").setAttribute("aria-expanded", shown);
  if (shown) at("code").src = "share.svg";
};
at("snapshot").onclick = () => {
  const picture = at("video"), canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `edgeau-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
};
at("calibrate").onclick = () => order({ do: "calibrate" });
at("measure").onclick = async () => {
  at("measure").disabled = true;
  say("measuring all artifacts");
  try {
    const rows = await (await fetch("artifacts")).json();
    at("artifacts").replaceChildren(...rows.map(artifactRow));
    markRunning();
    at("artifacts-box").hidden = false;
  } finally { at("measure").disabled = false; }
};

function artifactRow(row) {
  const line = document.createElement("tr");
  line.dataset.artifact = row.file;
  const cells = [row.file, row.precision, row.threads ?? "-", row.ms === null ? row.fault : row.ms.toFixed(1), row.cpu_ms === null ? "-" : row.cpu_ms.toFixed(1)];
  for (const cell of cells) make("td", "", line).textContent = cell;
  const last = make("td", "", line);
  if (row.ms !== null) {
    const button = make("button", "", last);
    button.type = "button";
    button.textContent = "Use";
    button.setAttribute("aria-label", `Use ${row.file}`);
    button.onclick = () => order({ do: "artifact", file: row.file });
    make("strong", "", last).textContent = "in use";
  }
  return line;
}

let running = "";
function markRunning() {
  for (const line of at("artifacts").children) {
    const mine = line.dataset.artifact === running, [button, mark] = line.lastElementChild.children;
    if (!button) continue;
    button.hidden = mine;
    mark.hidden = !mine;
  }
}

// The viewer's own camera: a JPEG every 66 ms at most, and none while the last one has not gone out.
let own = null;
at("camera").onclick = async () => {
  if (own) { own.stop(); return; }
  const film = at("own"), canvas = document.createElement("canvas");
  let stream = null;
  at("camera").disabled = true;  // a second press before the camera is there would open it twice
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
    film.srcObject = stream;
    await film.play();
  } catch (error) {
    stream?.getTracks().forEach((track) => track.stop());
    say(`this device's camera cannot be used: ${error.message}`);
    return;
  } finally { at("camera").disabled = false; }
  const channel = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/camera`);
  const timer = setInterval(() => {
    if (channel.readyState !== WebSocket.OPEN || channel.bufferedAmount > 0 || !film.videoWidth) return;
    canvas.width = film.videoWidth;
    canvas.height = film.videoHeight;
    canvas.getContext("2d").drawImage(film, 0, 0);
    canvas.toBlob((blob) => { if (blob && channel.readyState === WebSocket.OPEN) channel.send(blob); }, "image/jpeg", 0.8);
  }, FRAME_MS);
  const finish = (why) => {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
    own = null;
    at("camera").setAttribute("aria-pressed", "false");
    at("camera").textContent = "Use this device's camera";
    if (why) say(why);
  };
  channel.onclose = (event) => finish(event.reason);
  own = { stop: () => channel.close() };
  at("camera").setAttribute("aria-pressed", "true");
  at("camera").textContent = "Stop this device's camera";
};

// The numbers stop with the session; what became of it is asked for, so that no old picture passes for a new one.
async function watch() {
  try {
    const health = await (await fetch("health")).json();
    const stale = health.status === "restarting" || (health.status === "starting" && health.restarts > 0);
    document.querySelector("main").classList.toggle("stale", stale);
    if (stale) say(`${health.why}; starting again`);
  } catch { document.querySelector("main").classList.add("stale"); }
}
setInterval(watch, WATCH_MS);

at("meaning").open = innerWidth > 832;

// A picture that never ends must not keep the page from being loaded.
if (document.readyState === "complete") begin(); else addEventListener("load", begin);
requestAnimationFrame(draw);
