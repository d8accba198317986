// The page: numbers come over one WebSocket, the picture is an <img>, changes are posted.
const at = (id) => document.getElementById(id);
const SECONDS = 8, FRAME_MS = 66, RETRY_MS = 1000, WATCH_MS = 2000;
const NAMES = { fps: "fps", age: "age_ms", every: "every", dropped: "dropped" };
let about = null, latest = null, histories = new Map(), cards = new Map(), socket = null, shownEvents = "";

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
  if (about.video) at("video").src = `video?${Date.now()}`;
  listen();
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
  for (const [id, card] of cards) if (!seen.has(id)) { card.box.remove(); cards.delete(id); histories.delete(id); }
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
  make("h2", "", box).textContent = `Face ${face.id ?? ""}`;
  const list = make("ul", "", box);
  for (const label of Object.keys(face.aus)) {
    const row = make("li", "au", list);
    row.dataset.au = label;
    const name = make("span", "name", row), long = about.names[label] ?? label;
    const word = make("button", "word", name);
    word.type = "button";
    word.textContent = label;
    tipOf(word, label);
    if (long !== label) make("small", "", name).textContent = long;
    if (about.experimental.includes(label)) {
      const mark = make("abbr", "mark", name);
      mark.textContent = "exp";
      mark.title = "Experimental: not proven on real faces";
    }
    const track = make("span", "track", row);
    track.setAttribute("role", "meter");
    track.setAttribute("aria-valuemin", "0");
    track.setAttribute("aria-valuemax", "1");
    track.setAttribute("aria-label", long === label ? label : `${label}, ${long}`);
    const fill = make("span", "fill", track), right = make("span", "arm right", track), left = make("span", "arm left", track);
    const ticks = [make("span", "tick", track), make("span", "tick", track)];
    row.dataset.place = list.children.length - 1;
    const line = make("canvas", "", row);
    line.setAttribute("aria-hidden", "true");
    rows.set(label, { row, track, fill, right, left, ticks, line, value: make("span", "value", row) });
  }
  return { box, rows };
}

function remember(face, time) {
  const history = histories.get(face.id) ?? [];
  if (history.length && time < history[history.length - 1].time) history.length = 0;
  history.push({ time, aus: face.aus });
  while (history.length && time - history[0].time > SECONDS) history.shift();
  histories.set(face.id, history);
}

function drawCard(card, face, time) {
  for (const [label, part] of card.rows) {
    const unit = face.aus[label], value = unit ? unit[0] : null;
    part.row.classList.toggle("active", Boolean(unit && unit[1]));
    part.row.classList.toggle("refused", !unit);
    drawBar(part, unit, about.thresholds[label]);
    const reason = face.reasons[label];
    part.value.textContent = unit ? value.toFixed(2) : reason ?? "-";
    part.row.title = unit || !reason ? "" : `Not read: ${about.reasons[reason] ?? reason}`;
    part.track.setAttribute("aria-valuenow", value ?? 0);
    part.track.setAttribute("aria-valuetext", unit ? spoken(unit) : `not read: ${about.reasons[reason] ?? reason}`);
    drawLine(part.line, label, histories.get(face.id), time);
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
let sorted = false, arranged = 0;
function arrange(card, face) {
  if (!sorted || performance.now() - arranged < 700) return;
  arranged = performance.now();
  const of = (label) => { const unit = face.aus[label]; return unit ? unit[0] + (unit[1] ? 1 : 0) : -1; };
  const rows = [...card.rows].map(([label, part]) => ({ row: part.row, worth: Math.round(20 * of(label)) }));
  rows.sort((a, b) => b.worth - a.worth || a.row.dataset.place - b.row.dataset.place);
  const list = rows[0]?.row.parentElement;
  if (list && rows.some((one, place) => list.children[place] !== one.row) && !list.contains(document.activeElement)) list.append(...rows.map((one) => one.row));
}

function tipOf(word, label) {
  const tip = at("tip");
  const show = () => {
    at("moves").textContent = about.moves[label] || about.names[label] || label;
    const drawn = about.plate.includes(label);
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

function drawLine(canvas, label, history, time) {
  const width = (canvas.width = canvas.clientWidth * 2), height = (canvas.height = canvas.clientHeight * 2);
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  if (height > 80) drawScale(context, label, history, time, width, height, style);
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

// A large timeline: the threshold with its band of one logit to either side, and the times in which the action unit was on.
function drawScale(context, label, history, time, width, height, style) {
  const at_y = (value) => 2 + (height - 4) * (1 - value), at_x = (when) => width * (1 + (when - time) / SECONDS);
  const threshold = about.thresholds[label], logit = Math.log(threshold / (1 - threshold));
  const of = (number) => 1 / (1 + Math.exp(-number));
  context.fillStyle = style.getPropertyValue("--line");
  if (about.smoothed_s !== null) context.fillRect(0, at_y(of(logit + 1)), width, at_y(of(logit - 1)) - at_y(of(logit + 1)));
  context.fillStyle = style.getPropertyValue("--on");
  context.globalAlpha = 0.25;
  for (let place = 1; place < history.length; place += 1) {
    const before = history[place - 1], point = history[place];
    if (before.aus[label]?.[1]) context.fillRect(at_x(before.time), 0, at_x(point.time) - at_x(before.time), height);
  }
  context.globalAlpha = 1;
  context.strokeStyle = style.getPropertyValue("--soft");
  context.lineWidth = 1;
  context.setLineDash([6, 6]);
  context.beginPath();
  context.moveTo(0, at_y(threshold));
  context.lineTo(width, at_y(threshold));
  context.stroke();
  context.setLineDash([]);
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
  for (const card of cards.values()) card.box.querySelector("ul").append(...[...card.rows.values()].map((part) => part.row));
});
toggled("large", (on) => at("faces").classList.toggle("large", on));
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
    at("artifacts-box").hidden = false;
  } finally { at("measure").disabled = false; }
};

function artifactRow(row) {
  const line = document.createElement("tr");
  const cells = [row.file, row.precision, row.threads ?? "-", row.ms === null ? row.fault : row.ms.toFixed(1)];
  for (const cell of cells) make("td", "", line).textContent = cell;
  const last = make("td", "", line);
  if (row.ms !== null) {
    const button = make("button", "", last);
    button.type = "button";
    button.textContent = "Use";
    button.setAttribute("aria-label", `Use ${row.file}`);
    button.onclick = () => order({ do: "artifact", file: row.file });
  }
  return line;
}

// The viewer's own camera: a JPEG every 66 ms at most, and none while the last one has not gone out.
let own = null;
at("camera").onclick = async () => {
  if (own) { own.stop(); return; }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  } catch (error) { say(`this device's camera cannot be used: ${error.message}`); return; }
  const film = at("own"), canvas = document.createElement("canvas");
  film.srcObject = stream;
  await film.play();
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
    const stale = health.status === "restarting";
    document.querySelector("main").classList.toggle("stale", stale);
    if (stale) say(`${health.why}; starting again`);
  } catch { document.querySelector("main").classList.add("stale"); }
}
setInterval(watch, WATCH_MS);

// A picture that never ends must not keep the page from being loaded.
if (document.readyState === "complete") begin(); else addEventListener("load", begin);
requestAnimationFrame(draw);
