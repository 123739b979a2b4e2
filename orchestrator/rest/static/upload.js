// The form: which clip, from which language into which, and the upload itself.

import { $, showProblem } from "/static/dom.js";
import { ask, languageName, sendClip } from "/static/service.js";

const NO_CLIP = "Choose a clip or drop it here";

let clip = null;
let idempotencyKey = null;
let pairs = [];

export function wireUpload(onAccepted) {
  $("upload").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(onAccepted);
  });
  $("clip").addEventListener("change", () => choose($("clip").files[0]));
  $("source").addEventListener("change", offerTargets);
  for (const id of ["transcript-file", "background", "glossary", "source", "target"]) {
    $(id).addEventListener("change", () => { idempotencyKey = null; }); // another request than the one before
  }
  for (const kind of ["dragover", "dragleave", "drop"]) {
    $("drop").addEventListener(kind, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || event.dataTransfer.files.length === 0) return;
      $("clip").files = event.dataTransfer.files;
      choose($("clip").files[0]);
    });
  }
  offerLanguages().catch(showProblem);
}

async function offerLanguages() {
  const offer = await ask("/v1/languages");
  pairs = offer.pairs;
  const options = [...new Set(pairs.map((pair) => pair.source))].map((code) => {
    const first = !offer.detects_source && code === offer.default_source;
    return new Option(languageName(code), code, first, first);
  });
  if (offer.detects_source) options.unshift(new Option("detect", "", true, true));
  $("source").replaceChildren(...options);
  offerTargets();
}

function offerTargets() {
  const source = $("source").value;
  const fitting = pairs.filter((pair) => source === "" || pair.source === source);
  const targets = [...new Set(fitting.map((pair) => pair.target))];
  const before = $("target").value;
  $("target").replaceChildren(...targets.map((code) => new Option(languageName(code), code)));
  if (targets.includes(before)) $("target").value = before;
  $("start").disabled = targets.length === 0;
}

function choose(file) {
  clip = file ?? null;
  idempotencyKey = null;
  $("drop-text").textContent = clip === null ? NO_CLIP : `${clip.name} (${sizeOf(clip)})`;
  if (clip !== null) showProblem(null);
}

function sizeOf(file) {
  const megabytes = file.size / 1e6;
  return megabytes >= 1 ? `${megabytes.toFixed(1)} MB` : `${Math.ceil(file.size / 1e3)} kB`;
}

async function submit(onAccepted) {
  if (clip === null) return;
  showProblem(null);
  let glossary;
  try {
    glossary = glossaryOf($("glossary").value);
  } catch (problem) {
    showProblem(problem);
    return;
  }
  $("start").disabled = true;
  $("sending").hidden = false;
  // The same key again after a broken connection: if the first try arrived after all, no second dub is made.
  idempotencyKey ??= newKey();
  const form = new FormData();
  form.append("target_language", $("target").value);
  if ($("source").value) form.append("source_language", $("source").value);
  for (const [name, value] of Object.entries({ background: $("background").value, glossary })) {
    if (value) form.append(name, value);
  }
  const [transcript] = $("transcript-file").files;
  if (transcript) form.append("transcript", transcript, transcript.name);
  form.append("clip", clip, clip.name);
  try {
    const accepted = await sendClip(form, idempotencyKey, (share) => { $("sent").value = share; });
    $("upload").reset();
    choose(null);
    onAccepted(accepted.id);
  } catch (problem) {
    if (problem.status) idempotencyKey = null;
    showProblem(problem);
  } finally {
    $("sending").hidden = true;
    $("sent").value = 0;
    offerTargets();
  }
}

// Lines "term = translation" as the JSON object that the field takes; "" for none.
function glossaryOf(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const pairs = lines.map((line) => {
    const [term, translation, ...rest] = line.split("=").map((part) => part.trim());
    if (!term || !translation || rest.length > 0) {
      throw { title: "The fixed translations cannot be read", detail: `“${line}” is not of the form “term = translation”.` };
    }
    return [term, translation];
  });
  return pairs.length > 0 ? JSON.stringify(Object.fromEntries(pairs)) : "";
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
