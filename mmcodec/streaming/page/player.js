/* The page of `mmcodec play`: a stream of a few kbit/s as it is rendered, and what it is made of.
 *
 * The server renders; this page plays /media.mp4 and shows what /events tells. What comes with a
 * stream (prompts, names of layers) is a stranger's text, so it only goes in as text, never as markup.
 */

const KEEP_BEHIND_S = 60;
const DRIFT_S = 0.2;
const MOST_CUES = 300;
const MOST_READINGS = 120;
const LEAST_SPAN_S = 20;
const ELSEWHERE = "To watch it elsewhere, run: mmcodec play URL -o file.mp4";

const $ = (id) => document.getElementById(id);
const decoded = $("decoded");
const original = $("original");
const lanes = new Map([["video", $("lane-video")], ["audio", $("lane-audio")]]);

/* Words and figures */
function figure(value, digits, unit) {
  const style = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return Number.isFinite(value) ? value.toLocaleString("en-GB", style) + unit : "–";
}

const bytes = (count) => count < 10_000 ? figure(count, 0, " B") : figure(count / 1000, 1, " kB");

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (part) => String(part % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole)}` : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(whole)}`;
}

function element(tag, className, textContent = "", data = {}) {
  const made = Object.assign(document.createElement(tag), { className, textContent });
  Object.assign(made.dataset, data);
  return made;
}

/* The state of the page. A failure stays: what comes later must not hide it. */

const failed = () => document.body.dataset.state === "failed";
const setState = (state) => { if (!failed()) document.body.dataset.state = state; };
const note = (text) => { if (!failed()) $("note").textContent = text; };
const fail = (text) => { note(text); setState("failed"); };

/* Media: the endless response into the one buffer. Waiting for each append is the queue: what is
 * not yet wanted stays in the response, and the server feels it. */

const canGoOn = () => decoded.readyState > HTMLMediaElement.HAVE_CURRENT_DATA;
const once = (target, event) => new Promise((done) => target.addEventListener(event, done, { once: true }));

const settled = (buffer) => new Promise((done, broken) => {
  buffer.onerror = () => broken(new Error("the browser refused the media"));
  buffer.onupdateend = done;
});

function makeRoom(buffer) {
  const end = decoded.currentTime - KEEP_BEHIND_S;
  const old = buffer.buffered.length && buffer.buffered.start(0) + 1 < end;
  if (!old) return new Promise((done) => setTimeout(done, 1000)); // only playing on makes room
  buffer.remove(0, end);
  return settled(buffer);
}

async function append(buffer, chunk) {
  for (;;) {
    try {
      buffer.appendBuffer(chunk);
      return await settled(buffer);
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      await makeRoom(buffer);
    }
  }
}

/* Who joins late, or seeks to what was removed, stands before the media and would wait for ever. */
function stepOverGap() {
  if (canGoOn()) return;
  const { buffered, currentTime } = decoded;
  for (let i = 0; i < buffered.length; i++) {
    if (currentTime >= buffered.end(i) - 0.1) continue;
    if (currentTime < buffered.start(i)) decoded.currentTime = buffered.start(i);
    return;
  }
}

async function pour(buffer) {
  const response = await fetch("/media.mp4");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    await append(buffer, part.value);
    stepOverGap();
    showClock();
  }
}

async function playMedia(codecs) {
  if (!window.MediaSource?.isTypeSupported(codecs)) return fail(`This browser cannot play this video. ${ELSEWHERE}`);
  const source = new MediaSource();
  decoded.src = URL.createObjectURL(source);
  await once(source, "sourceopen");
  try {
    await pour(source.addSourceBuffer(codecs));
  } catch (error) {
    fail(`The stream stopped: ${error.message}. Load the page again. ${ELSEWHERE}`);
  }
  // Also after a failure, so that what has come still plays to its end.
  if (source.readyState === "open") source.endOfStream();
}

/* Playing */
const on = (events, act) => events.split(" ").forEach((event) => decoded.addEventListener(event, act));

function range() {
  const { buffered } = decoded;
  return buffered.length ? [buffered.start(0), buffered.end(buffered.length - 1)] : [0, 0];
}

// Browsers refuse sound that nobody asked for. Without sound it would be half the stream: ask.
const play = () => decoded.play().catch(({ name }) => { if (name === "NotAllowedError") $("start").hidden = false; });
const toggle = () => decoded.paused ? play() : decoded.pause();
const seek = (time) => { decoded.currentTime = Math.min(Math.max(time, range()[0]), range()[1]); };

function showPlayback() {
  const state = decoded.ended ? "ended" : decoded.paused ? "ready" : "playing";
  setState(state);
  $("play").textContent = { ended: "Play again", ready: "Play", playing: "Pause" }[state];
  $("ended").hidden = state !== "ended";
  if (state === "playing") $("start").hidden = true;
}

function showClock() {
  const [first, last] = range();
  const text = `${clock(decoded.currentTime)} / ${clock(last)}`;
  Object.assign($("seek"), { min: first, max: last, value: decoded.currentTime });
  $("seek").setAttribute("aria-valuetext", text);
  $("clock").textContent = text;
}

function showWaiting() {
  $("waiting").textContent = "Waiting for more of the stream";
  $("waiting").hidden = decoded.ended;
  stepOverGap();
}

function bindPlayback() {
  on("play pause ended seeked", showPlayback);
  on("timeupdate seeking durationchange", () => { showClock(); showNow(); });
  on("waiting", showWaiting);
  on("playing canplay", () => { $("waiting").hidden = true; });
  on("error", () => fail(`The browser could not play the video. ${ELSEWHERE}`));
  decoded.addEventListener("canplay", () => { showPlayback(); play(); }, { once: true });

  $("play").onclick = toggle;
  $("start").onclick = play;
  $("seek").oninput = (event) => seek(event.target.valueAsNumber);
  $("full").onclick = () => decoded.requestFullscreen().catch(() => note("The browser refused the full screen."));
  $("mute").onclick = () => $("mute").setAttribute("aria-pressed", decoded.muted = !decoded.muted);
  document.addEventListener("keydown", (event) => {
    const taken = event.target.closest("button, input, a") || event.ctrlKey || event.metaKey || event.altKey;
    if (taken || event.repeat || ![" ", "k"].includes(event.key)) return;
    event.preventDefault(); // or space scrolls the page
    toggle();
  });
}

/* The original follows the decoded video, which may wait for the link where the original need not. */

function follow() {
  const time = Math.min(decoded.currentTime, original.duration || Infinity);
  if (!original.seeking && Math.abs(original.currentTime - time) > DRIFT_S) original.currentTime = time;
  const moves = !decoded.paused && canGoOn();
  // To play a video that is at its end would start it again.
  if (!moves || time === original.duration) original.pause();
  else if (original.paused) original.play().catch(() => {});
}

function showOriginal() {
  original.src = "/original";
  original.onloadeddata = follow;
  original.onerror = () => { $("original-figure").hidden = true; }; // the stream goes without
  $("original-figure").hidden = false;
  on("play playing pause waiting seeking seeked timeupdate ended", follow);
}

/* Meters */
const readings = [];
let linkKbps = 0;

function drawReadings() {
  const top = 1.1 * Math.max(0.1, linkKbps, ...readings);
  const height = (kbps) => 40 - 40 * kbps / top;
  const step = 120 / (MOST_READINGS - 1);
  $("readings").setAttribute("points", readings.map((kbps, i) => `${i * step},${height(kbps)}`).join(" "));
  if (linkKbps) $("link-line").setAttribute("transform", `translate(0 ${height(linkKbps)})`);
}

function showStats(stats) {
  $("received").textContent = bytes(stats.received_bytes);
  $("kbps-now").textContent = figure(stats.kbps_now, 2, " kbit/s");
  $("kbps-mean").textContent = figure(stats.kbps_mean, 2, " kbit/s");
  $("ratio").textContent = figure(stats.ratio, stats.ratio < 10 ? 1 : 0, "×");
  $("buffer").textContent = figure(stats.buffer_s, 1, " s");
  $("speed").textContent = figure(stats.render_speed, 1, "× real time");
  $("rate-now").textContent = stats.rate ?? "–";
  readings.push(Number(stats.kbps_now) || 0);
  if (readings.length > MOST_READINGS) readings.shift();
  drawReadings();
}

/* Rates */
async function askForRate(rate) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/rate", { method: "POST", headers, body: JSON.stringify({ rate }) }).catch(() => null);
  if (!answer?.ok) note("The rate could not be changed.");
}

function addRate(value, text) {
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "rate", value, checked: value === "auto" });
  input.onchange = () => askForRate(value);
  const label = element("label", "");
  label.append(input, text);
  $("rates").lastElementChild.before(label);
}

function showRates(rates) {
  addRate("auto", "Auto");
  for (const { name, bit_rate } of rates) addRate(name, `${name} (${figure(bit_rate / 1000, 1, " kbit/s")})`);
  $("rates").hidden = rates.length < 2;
}

/* Timeline: a box a cue, placed by CSS from its times, so that a longer stream only changes the strip. */

const cueOf = new Map(); // box to cue, oldest first
let forgottenUntil = -1;
let chosen = null;

const nameOf = ({ kind, start, end }) => `${kind} ${clock(start)} to ${clock(end)}`;
// The last box of a track that has begun: tracks have no gaps, silence is a cue of its own.
const boxAt = (track, time) => [...lanes.get(track).children].findLast((box) => cueOf.get(box).start <= time);
const layerList = (layers) =>
  [...layers].map(([layer, count]) => element("li", "", `${layer} ${bytes(count)}`, { layer }));

function makeBox(cue) {
  const box = element("button", "cue", "", { track: cue.track, start: cue.start });
  Object.assign(box, { type: "button", tabIndex: -1, title: cue.prompt });
  box.style.setProperty("--start", cue.start);
  box.style.setProperty("--length", cue.end - cue.start);
  box.setAttribute("aria-label", `${bytes(cue.bytes)}, ${nameOf(cue)}: ${cue.prompt}`);
  box.onfocus = box.onclick = () => showDetails(box); // not every browser focuses what is clicked
  box.onkeydown = moveFocus;
  box.append(element("span", "bytes", bytes(cue.bytes)));
  for (const [layer, count] of Object.entries(cue.layers)) {
    const bar = element("i", "", "", { layer });
    bar.style.flexGrow = count;
    box.append(bar);
  }
  return box;
}

function forgetOldest() {
  const [box, cue] = cueOf.entries().next().value;
  cueOf.delete(box);
  box.remove();
  forgottenUntil = Math.max(forgottenUntil, cue.start);
  if (box === chosen) makeReachable(cueOf.keys().next().value);
}

/* One box takes part in the order of the Tab key; the arrow keys lead to the others. */
function makeReachable(box) {
  if (chosen) chosen.tabIndex = -1;
  chosen = box;
  box.tabIndex = 0;
}

function fitStrip() {
  const from = Math.min(...[...cueOf.values()].map((cue) => cue.start));
  const until = Math.max(...[...cueOf.values()].map((cue) => cue.end));
  $("strip").style.setProperty("--from", from);
  $("strip").style.setProperty("--span", Math.max(LEAST_SPAN_S, until - from));
}

function showLegend() {
  const totals = new Map();
  for (const [layer, count] of [...cueOf.values()].flatMap(({ layers }) => Object.entries(layers))) {
    totals.set(layer, (totals.get(layer) ?? 0) + count);
  }
  $("legend").replaceChildren(...layerList(totals));
}

function addCue(cue) {
  if (!lanes.has(cue.track) || cue.start <= forgottenUntil) return;
  const before = boxAt(cue.track, cue.start);
  if (cueOf.get(before)?.start === cue.start) return; // after a lost connection all is told again
  const box = makeBox(cue);
  cueOf.set(box, cue);
  if (before) before.after(box);
  else lanes.get(cue.track).prepend(box);
  if (!chosen) makeReachable(box);
  if (cueOf.size > MOST_CUES) forgetOldest();
  fitStrip();
  showLegend();
  showNow();
}

function showDetails(box) {
  const cue = cueOf.get(box);
  makeReachable(box);
  $("cue-name").textContent = `${nameOf(cue)}, ${bytes(cue.bytes)}${cue.rate ? `, rate ${cue.rate}` : ""}`;
  $("cue-prompt").textContent = cue.prompt || "No prompt.";
  $("cue-layers").replaceChildren(...layerList(Object.entries(cue.layers)));
  $("cue-play").onclick = () => { seek(cue.start); play(); };
  $("details").hidden = false;
}

function neighbour(box, key) {
  const [across, other] = box.dataset.track === "video" ? ["ArrowDown", "audio"] : ["ArrowUp", "video"];
  const opposite = boxAt(other, cueOf.get(box).start) ?? lanes.get(other).firstElementChild;
  const { previousElementSibling: ArrowLeft, nextElementSibling: ArrowRight } = box;
  const { firstElementChild: Home, lastElementChild: End } = box.parentElement;
  return { ArrowLeft, ArrowRight, Home, End, [across]: opposite }[key];
}

function moveFocus(event) {
  const next = neighbour(event.currentTarget, event.key);
  if (!next) return;
  event.preventDefault(); // or the timeline scrolls as well
  next.focus();
}

function showPrompt(track, box) {
  const prompt = $(`prompt-${track}`);
  const cue = cueOf.get(box);
  const text = cue ? cue.prompt || `No prompt (${cue.kind}).` : "";
  // Writing the same again would have a screen reader say it again.
  if (prompt.textContent !== text) prompt.textContent = text;
}

function keepPlayheadInView() {
  const timeline = $("timeline");
  if (decoded.paused || timeline.matches(":hover, :focus-within")) return; // somebody is reading it
  const at = $("playhead").offsetLeft - timeline.scrollLeft;
  if (at < 0 || at > timeline.clientWidth) timeline.scrollLeft += at - timeline.clientWidth / 5;
}

function showNow() {
  $("strip").style.setProperty("--now", decoded.currentTime);
  for (const [track, lane] of lanes) {
    const now = boxAt(track, decoded.currentTime);
    for (const box of lane.querySelectorAll("[aria-current]")) if (box !== now) box.removeAttribute("aria-current");
    now?.setAttribute("aria-current", "true");
    showPrompt(track, now);
  }
  keepPlayheadInView();
}

/* Events and the start */
function listen() {
  const events = new EventSource("/events");
  const end = () => { events.close(); showBadge("All received"); };
  const acts = { __proto__: null, cue: addCue, stats: showStats, note: ({ text }) => note(text), end };
  events.onopen = () => { readings.length = 0; note(""); }; // all is told again
  events.onmessage = ({ data }) => { const event = JSON.parse(data); acts[event.type]?.(event); };
  events.onerror = () => note("The figures stopped coming; trying again.");
}

const showBadge = (textContent) => Object.assign($("badge"), { textContent, hidden: false });

function describe({ title, width, height, link_bps, live }) {
  $("title").textContent = title;
  document.title = `${title} – mmcodec`;
  if (live) showBadge("Live");
  if (width && height) {
    $("decoded-size").textContent = `at ${width} × ${height}`;
    document.documentElement.style.setProperty("--shape", `${width} / ${height}`);
  }
  linkKbps = link_bps / 1000;
  $("link-line").toggleAttribute("hidden", !link_bps);
  if (link_bps) $("link-caption").textContent = `kbit/s, latest readings; dashed: link of ${figure(linkKbps, 2, "")}`;
}

async function begin() {
  const response = await fetch("/state").catch(() => null);
  if (!response?.ok) return fail("The server does not answer. Load the page again when it runs.");
  const state = await response.json();
  describe(state);
  showRates(state.rates);
  bindPlayback();
  if (state.original) showOriginal();
  listen();
  await playMedia(state.codecs);
}

begin();
