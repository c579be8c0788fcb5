// Train: options, progress live, advice.
import { html, useEffect, useRef, useState } from "/static/vendor/preact-htm.js";
import { get, post } from "/static/api.js";
import { Bars, Code, Histogram, Problem, short, useAnswer } from "/static/parts.js";
import { Pixels } from "/static/models.js";
import { Picture } from "/static/pictures.js";
import { said } from "/static/said.js";
const d3 = window.d3;

export function Train({ t, state, setState, go }) {
  const [error, setError] = useState(""), [options, setOptions] = useState({ latent: 16, epochs: "", seed: 0 });
  const training = state.training, running = training?.running, records = training?.records ?? [], last = records[records.length - 1];
  const ask = (promise) => { setError(""); promise.then(setState, (e) => setError(e.message)); };
  const wanted = () => Object.fromEntries(Object.entries(options).filter(([, v]) => v !== "").map(([k, v]) => [k, +v]));
  const code = useAnswer(() => post("/api/fit/code", wanted()), [JSON.stringify(options), state.data?.name, state.undo]);
  if (!state.data) return html`<${Problem} text=${state.model ? "" : t.needData} />${state.model && html`<${Model} ...${{ t, state, go }} />`}`;
  const field = (name, least) => html`<label class="field">${t[name]}<input type="number" min=${least} value=${options[name]} disabled=${running} onInput=${(e) => setOptions({ ...options, [name]: e.target.value })} /></label>`;
  const seconds = records.slice(-20).map((r) => r.seconds), pace = d3.median(seconds);
  return html`<h2>${t.trainTitle}</h2><p class="lead">${t.trainLead}</p>
    ${state.network && html`<p><a href="#network">${t.netTrain}</a></p>`}
    <div class="row">${!state.network && field("latent", 1)}${field("epochs", 1)}${field("seed", 0)}
      ${running ? html`<button class="go" onClick=${() => ask(post("/api/stop"))}>${t.stop}</button>` : html`<button class="go" onClick=${() => ask(post("/api/fit", wanted()))}>${state.model || state.unfinished ? t.again : t.start}</button>`}
    </div>
    <${Code} ...${{ t, code: code.found }} />
    ${!running && state.unfinished && html`<div class="panel row" role="status"><span>${t.unfinished} ${state.unfinished.epoch ?? 0} / ${state.unfinished.epochs ?? "?"} · ${new Date(1000 * state.unfinished.begun).toLocaleString(document.documentElement.lang)} <span class="muted">${Object.entries({ ...state.unfinished.options, ...state.unfinished.kinds }).map(([k, v]) => `${k} ${v}`).join(", ")}</span></span><button class="go" onClick=${() => ask(post("/api/fit/more"))}>${t.goOn}</button></div>`}
    <${Problem} text=${error || training?.error} />
    ${running && !records.length && html`<p class="dots" role="status">${t.preparing}</p>`}
    ${training?.advice && html`<p class="warn" role="alert">${t.advice[training.advice]}</p>`}
    ${!running && training?.stopped && html`<p role="status"><b>${t.done[training.stopped]}</b></p>`}
    ${!running && state.model && html`<${Model} ...${{ t, state, go }} />`}
    ${last && html`<div class="panel">
      <dl class="facts">
        <div><dt>${t.epoch}</dt><dd>${last.epoch} / ${last.epochs}</dd></div>
        <div><dt>${t.bound}, ${last.valid_bound != null ? t.held : t.training}</dt><dd>${(last.valid_bound ?? last.bound)?.toFixed(3)}</dd></div>
        <div><dt>${t.kl}</dt><dd>${last.kl?.toFixed(2)}</dd></div>
        ${last.active_units != null && html`<div><dt>${t.active}</dt><dd>${last.active_units}</dd></div>`}
        <div><dt>${t.rate}</dt><dd>${short(last.rows / pace)}</dd></div>
        ${running && html`<div><dt>${t.left}</dt><dd>${short((last.epochs - last.epoch) * pace)} s</dd></div>`}
      </dl>
      <${Picture} ...${{ t, name: "training", table: { columns: Object.keys(last), rows: records.map((r) => Object.keys(last).map((k) => r[k])) } }}><${Curves} ...${{ t, records }} /></${Picture}></div>`}
    ${training?.pictures > 0 && html`<${Glimpse} ...${{ t, count: training.pictures }} />`}`;
}

// What the model makes of the data at this moment.
function Glimpse({ t, count }) {
  const { found } = useAnswer(() => get("/api/glimpse"), [count]), canvas = useRef(null), S = 480;
  useEffect(() => {
    if (!found?.points || !canvas.current) return;
    const g = canvas.current.getContext("2d"), at = (k, range) => { const [a, b] = d3.extent(found.points, (p) => p[k]); return d3.scaleLinear([a, b === a ? a + 1 : b], range); }, x = at(0, [10, S - 10]), y = at(1, [S - 10, 10]);
    g.clearRect(0, 0, S, S); g.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent"); g.globalAlpha = 0.6;
    found.points.forEach((p) => { g.beginPath(); g.arc(x(p[0]), y(p[1]), 3, 0, 7); g.fill(); });
  }, [found]);
  if (!found?.points) return null;
  return html`<h3>${t.now} <small class="muted">${t.epoch} ${found.epoch}</small></h3><div class="learning"><div class="card"><h3>${t.map}</h3><canvas class="glimpse" ref=${canvas} width=${S} height=${S} role="img" aria-label=${t.mapTitle}></canvas></div>
    ${found.images ? html`<div class="card"><h3>${t.drawnNow}</h3><div class="mosaic">${found.images.map((image) => html`<${Pixels} image=${image} />`)}</div></div>` : html`<div class="grid">${found.columns.map((c) => html`<section class="card" key=${c.name}><h3>${c.name}</h3>${c.form === "classes" ? html`<${Bars} column=${c} />` : html`<${Histogram} column=${c} />`}</section>`)}</div>`}</div><p class="muted">${t.drawnLead}</p>`;
}

function Model({ t, state, go }) {
  return html`<div class="panel"><div class="row" style=${{ margin: 0 }}><code>${state.model.factors}</code></div>
    ${(state.model.findings ?? []).length > 0 && html`<ul class="findings">${state.model.findings.map(([level, text]) => html`<li class=${level}>${said(text)}</li>`)}</ul>`}
    <div class="row" style=${{ margin: ".6rem 0 0" }}><button class="go" onClick=${() => go(state.model.form === "images" ? "map" : "ask")}>${t.toAsk}</button>${state.model.form !== "exact" && html`<a href="/api/model.laten" download>${t.download}</a>`}</div></div>`;
}

function Curves({ t, records }) {
  const W = 900, H = 240, left = 46, bottom = 24;
  const value = (r, name) => (name === "train_bound" ? (r.train_bound ?? r.bound) : r[name]);
  const of = (name) => records.map((r) => [r.epoch, value(r, name)]).filter(([, y]) => y != null);
  const lines = [["train_bound", t.training, "line"], ["valid_bound", t.held, "line held"]].map(([n, label, c]) => ({ points: of(n), label, c })).filter((l) => l.points.length);
  const ys = lines.flatMap((l) => l.points.map((p) => p[1])).sort(d3.ascending);
  const low = d3.quantile(ys, records.length > 12 ? 0.04 : 0), x = d3.scaleLinear([Math.min(1, records[0].epoch), Math.max(2, records[records.length - 1].epoch)], [left, W - 10]), y = d3.scaleLinear([low, ys[ys.length - 1]], [H - bottom, 10]).nice();
  const path = d3.line((p) => x(p[0]), (p) => y(Math.max(p[1], y.domain()[0])));
  return html`<svg viewBox=${`0 0 ${W} ${H}`} style=${{ maxWidth: "64rem" }} role="img" aria-label=${t.bound}>
    ${y.ticks(5).map((v) => html`<g><line class="axis" x1=${left} x2=${W - 10} y1=${y(v)} y2=${y(v)} /><text x=${left - 6} y=${y(v) + 4} text-anchor="end">${short(v)}</text></g>`)}
    ${x.ticks(8).filter(Number.isInteger).map((v) => html`<text x=${x(v)} y=${H - 6} text-anchor="middle">${v}</text>`)}
    ${lines.map((l) => html`<path class=${l.c} d=${path(l.points)} />`)}
  </svg><div class="legend">${lines.map((l) => html`<span><svg viewBox="0 0 26 8" style=${{ width: "26px", display: "inline-block", marginRight: ".35rem" }}><path class=${l.c} d="M0,4H26" /></svg>${l.label}</span>`)}<span>${t.boundNote}</span></div>`;
}
