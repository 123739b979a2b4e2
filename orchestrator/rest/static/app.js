// The page: upload, watch, compare. The dub that is shown is the one in the address (#id), so a reload goes on.

import { $, element, showProblem } from "/static/dom.js";
import { clearResult, showResult } from "/static/result.js";
import { ask, languageName } from "/static/service.js";
import { wireUpload } from "/static/upload.js";

const STAGES = {
  segment: "Finding speech",
  stt: "Listening",
  speech: "Translating, speaking",
  faces: "Finding the face",
  lips: "Moving the lips",
};
const STATES = {
  queued: "Waiting for its turn",
  running: "Dubbing",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};
const FINAL = ["succeeded", "failed", "cancelled"];

let events = null;
let shownId = "";

const addressOf = (id) => `/v1/dubs/${encodeURIComponent(id)}`;

function show(what) {
  $("upload").hidden = what !== "upload";
  $("job").hidden = what === "upload";
  $("result").hidden = what !== "result";
}

async function openDub(id) {
  stopListening();
  shownId = id;
  clearResult();
  $("stages").replaceChildren();
  showProblem(null);
  try {
    if (id) {
      await showDub(id);
    } else {
      document.title = "Polylip";
      show("upload");
    }
  } catch (problem) {
    if (shownId !== id) return;
    show("upload");
    showProblem(problem);
  }
}

async function showDub(id) {
  const dub = await ask(addressOf(id));
  if (shownId !== id) return;
  const source = dub.source_language ? languageName(dub.source_language) : "detected language";
  $("job-name").textContent = dub.clip.name;
  $("job-languages").textContent = `${source} → ${languageName(dub.target_language)}`;
  document.title = `${dub.clip.name} · Polylip`;
  showState(dub.state);
  if (dub.state === "succeeded") {
    show("result");
    await showResult(dub, () => shownId === id, () => openDub(id));
    return;
  }
  show("job");
  if (dub.error) showProblem({ title: "This clip could not be dubbed", detail: dub.error.detail });
  if (FINAL.includes(dub.state)) return;
  for (const stage of Object.keys(STAGES)) showStage(stage, 0, "");
  for (const { stage, progress, message } of dub.stages) showStage(stage, progress, message);
  listen(id);
}

function showState(state) {
  $("job-state").textContent = STATES[state] ?? state;
  $("job-state").dataset.state = state;
}

function showStage(stage, progress, message) {
  const label = STAGES[stage] ?? stage;
  let item = $(`stage-${stage}`);
  if (item === null) {
    const name = element("span", "", { class: "name" });
    name.append(element("span", label), element("span", "", { class: "percent" }));
    item = element("li", "", { id: `stage-${stage}` });
    item.append(name, element("progress", "", { max: "1", "aria-label": label }));
    $("stages").append(item);
  }
  item.querySelector("progress").value = progress;
  item.querySelector(".percent").textContent = `${Math.round(progress * 100)} %`;
  item.title = message;
}

function listen(id) {
  events = new EventSource(`${addressOf(id)}/events`);
  events.addEventListener("progress", (event) => {
    const { stage, progress, message } = JSON.parse(event.data);
    showStage(stage, progress, message);
  });
  events.addEventListener("state", (event) => {
    const { state } = JSON.parse(event.data);
    showState(state);
    if (!FINAL.includes(state)) return;
    stopListening();
    if (state !== "cancelled") openDub(id);
  });
  events.addEventListener("error", () => {
    // The browser tries again by itself unless the server has refused; then the dub itself tells why.
    if (events !== null && events.readyState === EventSource.CLOSED) openDub(id);
  });
}

function stopListening() {
  events?.close();
  events = null;
}

async function remove() {
  if (!confirm("Delete this dub and all its files?")) return;
  try {
    await ask(addressOf(shownId), "DELETE");
    location.hash = "";
  } catch (problem) {
    showProblem(problem);
  }
}

$("again").addEventListener("click", () => { location.hash = ""; });
$("delete").addEventListener("click", remove);
window.addEventListener("hashchange", () => openDub(location.hash.slice(1)));

wireUpload((id) => { location.hash = id; });
openDub(location.hash.slice(1));
