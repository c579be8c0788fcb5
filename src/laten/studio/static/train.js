// Train: options, progress live, advice.
import { html, useState } from "/static/vendor/preact-htm.js";
import { post } from "/static/api.js";
import { Problem, short } from "/static/parts.js";
const d3 = window.d3;

export function Train({ t, state, setState, go }) {
  const [error, setError] = useState(""), [options, setOptions] = useState({ latent: 16, epochs: "", seed: 0 });
  if (!state.data) return html`<${Problem} text=${state.model ? "" : t.needData} />${state.model && html`<${Model} ...${{ t, state, go }} />`}`;
  const training = state.training, running = training?.running, records = training?.records ?? [], last = records[records.length - 1];
  const ask = (promise) => { setError(""); promise.then(setState, (e) => setError(e.message)); };
  const wanted = () => Object.fromEntries(Object.entries(options).filter(([, v]) => v !== "").map(([k, v]) => [k, +v]));
  const field = (name, least) => html`<label class="field">${t[name]}<input type="number" min=${least} value=${options[name]} disabled=${running} onInput=${(e) => setOptions({ ...options, [name]: e.target.value })} /></label>`;
  const seconds = records.slice(-20).map((r) => r.seconds), pace = d3.median(seconds);
  return html`<h2>${t.trainTitle}</h2><p class="lead">${t.trainLead}</p>
    ${state.network && html`<p><a href="#network">${t.netTrain}</a></p>`}
    <div class="row">${!state.network && field("latent", 1)}${field("epochs", 1)}${field("seed", 0)}
      ${running ? html`<button class="go" onClick=${() => ask(post("/api/stop"))}>${t.stop}</button>` : html`<button class="go" onClick=${() => ask(post("/api/fit", wanted()))}>${state.model ? t.again : t.start}</button>`}
    </div>
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
      <${Curves} ...${{ t, records }} /></div>`}`;
}

function Model({ t, state, go }) {
  return html`<div class="panel"><div class="row" style=${{ margin: 0 }}><code>${state.model.factors}</code></div>
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
  return html`<svg viewBox=${`0 0 ${W} ${H}`} role="img" aria-label=${t.bound}>
    ${y.ticks(5).map((v) => html`<g><line class="axis" x1=${left} x2=${W - 10} y1=${y(v)} y2=${y(v)} /><text x=${left - 6} y=${y(v) + 4} text-anchor="end">${short(v)}</text></g>`)}
    ${x.ticks(8).filter(Number.isInteger).map((v) => html`<text x=${x(v)} y=${H - 6} text-anchor="middle">${v}</text>`)}
    ${lines.map((l) => html`<path class=${l.c} d=${path(l.points)} />`)}
  </svg><div class="legend">${lines.map((l) => html`<span><svg viewBox="0 0 26 8" style=${{ width: "26px", display: "inline-block", marginRight: ".35rem" }}><path class=${l.c} d="M0,4H26" /></svg>${l.label}</span>`)}<span>${t.boundNote}</span></div>`;
}
