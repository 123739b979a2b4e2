// A finished dub: both videos, what was heard and said, and the files.

import { Corrections } from "/static/corrections.js";
import { $, element } from "/static/dom.js";
import { Faces } from "/static/faces.js";
import { Players } from "/static/players.js";
import { ask, languageName } from "/static/service.js";

const players = new Players($("source-video"), $("result-video"), $("play"));

for (const radio of document.getElementsByName("sound")) {
  radio.addEventListener("change", () => players.listenTo(radio.value));
}

let corrections = null;

export function clearResult() {
  players.clear();
  corrections?.close();
  corrections = null;
}

export async function showResult(dub, stillShown, reload) {
  const base = `/v1/dubs/${dub.id}`;
  const others = dub.subtitle_languages.filter((language) => language !== dub.target_language);
  const own = dub.subtitle_languages.filter((language) => language === dub.target_language);
  players.load(
    { address: `${base}/clip`, tracks: tracks(dub, base, [...others, ...own]) },
    { address: `${base}/result.mp4?revision=${dub.revision}`, tracks: tracks(dub, base, [...own, ...others]) },
  );
  showDownloads(dub, base);
  const [{ segments }, report, corrected] = await Promise.all([
    ask(`${base}/segments.json`), ask(`${base}/report.json`), ask(`${base}/corrections`),
  ]);
  if (!stillShown()) return;
  showFigures(dub, report);
  const rows = showSentences(dub, segments);
  const faces = new Faces(report, $("source-video"), $("face"));
  corrections = new Corrections({ base, dub, segments, rows, players, faces, reload });
  corrections.show(corrected);
}

function tracks(dub, base, languages) {
  return languages.map((language) => ({
    address: `${base}/subtitles.vtt?language=${language}&revision=${dub.revision}`,
    language,
    label: languageName(language),
  }));
}

function showDownloads(dub, base) {
  const name = dub.clip.name.replace(/\.[^.]*$/, "") || "clip";
  const code = dub.target_language;
  const files = [
    ["Video", "result.mp4", `${name}.${code}.mp4`],
    ["SRT", "subtitles.srt", `${name}.${code}.srt`],
    ["VTT", "subtitles.vtt", `${name}.${code}.vtt`],
    ["Sentences", "segments.json", `${name}.segments.json`],
    ["Report", "report.json", `${name}.report.json`],
  ];
  const links = files.map(([label, path, file]) => element("a", label, { href: `${base}/${path}`, download: file }));
  $("downloads").replaceChildren(...links);
}

function showFigures(dub, report) {
  const parts = [`${dub.clip.duration_s.toFixed(1)} s`, `${dub.clip.width} × ${dub.clip.height}`];
  if (report.outcome === "no-speech") parts.unshift("No speech was found: the clip came back unchanged");
  if (report.outcome === "all-skipped") parts.unshift("Every sentence is skipped: the clip came back unchanged");
  if (dub.revision > 1) parts.unshift(`revision ${dub.revision}`);
  if (report.wall_s !== undefined) parts.push(`dubbed in ${report.wall_s.toFixed(1)} s`);
  $("figures").textContent = parts.join(" · ");
}

function showSentences(dub, segments) {
  $("heard").textContent = dub.source_language ? languageName(dub.source_language) : "Heard";
  $("said").textContent = languageName(dub.target_language);
  $("transcript").hidden = segments.length === 0;
  const rows = segments.map((segment) => sentenceRow(dub, segment));
  $("sentences").replaceChildren(...rows);
  players.onTime = (time_s) => segments.forEach(({ start_ms, end_ms }, index) => {
    rows[index].classList.toggle("now", start_ms <= time_s * 1000 && time_s * 1000 < end_ms);
  });
  return rows;
}

function sentenceRow(dub, segment) {
  const start = clock(segment.start_ms);
  const seek = element("button", start, { class: "seek", type: "button", "aria-label": `Play from ${start}` });
  seek.addEventListener("click", () => players.playFrom(segment.start_ms / 1000));
  const time = element("td");
  time.append(seek);
  const said = segment.text
    ? element("td", segment.text, { lang: dub.target_language })
    : element("td", "the source's own sound is kept", { class: "kept" });
  const note = fitNote(segment);
  if (note) said.append(element("span", note, { class: "note" }));
  const row = element("tr");
  row.append(time, element("td", segment.source_text, { lang: dub.source_language }), said, element("td"));
  return row;
}

function fitNote(segment) {
  const rate = segment.rate ?? 1;
  const late_ms = segment.onset_error_ms ?? 0;
  return [
    segment.verdict === "overflow" ? "longer than its slot" : "",
    rate > 1.005 ? `spoken ${rate.toFixed(2)} times as fast` : "",
    late_ms > 50 ? `${(late_ms / 1000).toFixed(1)} s late` : "",
  ].filter(Boolean).join(", ");
}

function clock(ms) {
  const minutes = Math.floor(ms / 60000);
  const seconds = ((ms % 60000) / 1000).toFixed(1).padStart(4, "0");
  return `${minutes}:${seconds}`;
}
