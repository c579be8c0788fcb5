// Compare: two models on the same rows. Audit: how far the log p of one model can be trusted.
import { html, useEffect, useState } from "/static/vendor/preact-htm.js";
import { get, post, send } from "/static/api.js";
import { Bars, Busy, Code, Histogram, Problem, percent, short, signed, useAnswer } from "/static/parts.js";
import { Diagonal, Intervals, Picture } from "/static/pictures.js";
import { said } from "/static/said.js";

export function Compare({ t, state, setState }) {
  const others = state.models.filter((name) => name !== state.model?.name);
  const [other, setOther] = useState(others[others.length - 1] ?? ""), [error, setError] = useState("");
  const ready = state.model && state.model.form !== "exact" && state.data && others.includes(other);
  const ask = (what) => () => (ready ? get(`/api/compare${what}?other=${encodeURIComponent(other)}`) : Promise.resolve(null));
  const depends = [other, ready, state.model?.name, state.model?.bound, state.data?.name];
  const verdict = useAnswer(ask(""), depends), drawn = useAnswer(ask("/samples"), depends);
  const open = (file) => { setError(""); send(`/api/other/${encodeURIComponent(file.name)}`, file).then((s) => { setState(s); setOther(s.added); }, (e) => setError(e.message)); };
  if (!state.model || state.model.form === "exact") return html`<h2>${t.compare}</h2><${Problem} text=${t.needModel} />`;
  if (!state.data) return html`<h2>${t.compare}</h2><${Problem} text=${t.needData} />`;
  const names = [state.model.name, other];
  return html`<h2>${t.compareTitle}</h2><p class="lead">${t.compareLead}</p>
    <div class="row"><span class="tag first">${state.model.name}</span><span class="muted">${t.against}</span>
      ${others.length > 0 && html`<label class="field">${t.second}<select value=${other} onChange=${(e) => setOther(e.target.value)}>${others.map((n) => html`<option value=${n} selected=${n === other}>${n}</option>`)}</select></label>`}
      <label class="plain" tabindex="0" onKeyDown=${(e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), e.currentTarget.querySelector("input").click())}>${t.openOther}<input type="file" accept=".laten" hidden onChange=${(e) => e.target.files[0] && open(e.target.files[0])} /></label></div>
    <${Problem} text=${error} />
    ${!others.length && html`<p class="panel">${t.noOther}</p>`}
    ${ready && html`<div class="panel" aria-live="polite"><h3>${t.logpRows}</h3><${Busy} ...${{ t, busy: verdict.busy }} /><${Problem} text=${verdict.error} />${verdict.found && html`<${Verdict} ...${{ t, found: verdict.found }} />`}</div>
      ${!verdict.error && state.data.form === "table" && html`<div class="panel"><h3>${t.byColumn}</h3><p class="muted">${t.byColumnLead}</p><${Columns} key=${names.join(" ")} ...${{ t, other, names }} /></div>`}
      ${!verdict.error && html`<h3>${t.drawnBoth}</h3><p class="lead">${t.drawnLead}</p><${Busy} ...${{ t, busy: drawn.busy }} /><${Problem} text=${drawn.error} />${drawn.found && html`<${Drawn} ...${{ t, found: drawn.found }} />`}`}`}`;
}

function Verdict({ t, found }) {
  const column = { name: t.differences, form: "number", edges: found.edges, p: found.counts };
  return html`<p class="verdict"><b>${found.better ? `${found.better} ${t.explainsBetter}` : t.noDifference}</b></p>
    <p>${t.difference} <b>${signed(found.difference)}</b> ± ${short(found.error)} ${t.nats} · ${percent(found.wins)} ${t.wins} · ${found.rows} ${t.rows}, ${found.fresh ? t.fresh : t.notFresh}</p>
    ${found.notes.map((n) => html`<p class="warn" role="alert">${said(n)}</p>`)}
    <div class="pair"><${Picture} ...${{ t, name: "log_p", table: { columns: ["model", "log_p", "error"], rows: found.models.map((m) => [m.name, m.log_p, m.error]) } }}><h4>${t.meanLogp}</h4><${Intervals} rows=${found.models.map((m, i) => ({ name: m.name, value: m.log_p, error: m.error, second: i === 1 }))} unit=${t.natsRow} /></${Picture}>
      <${Picture} ...${{ t, name: "differences", table: { columns: ["from", "to", "rows"], rows: found.counts.map((n, i) => [found.edges[i], found.edges[i + 1], n]) } }}><h4>${t.differences}</h4><${Histogram} column=${column} zero=${true} label=${t.differences} /></${Picture}></div>
    <${Code} ...${{ t, code: found.code }} />`;
}

// Work in the background that goes on while the page is closed: its state, asked for again and again.
function useJob(name, start) {
  const [job, setJob] = useState(null), [error, setError] = useState("");
  const ask = (promise) => { setError(""); promise.then(setJob, (e) => setError(e.message)); };
  useEffect(() => ask(start ? start() : get(`/api/job/${name}`)), []);
  useEffect(() => { if (!job?.running) return undefined; const later = setTimeout(() => ask(get(`/api/job/${name}`)), 500); return () => clearTimeout(later); }, [job]);
  return { job, error: error || job?.error, ask };
}
const Steps = ({ t, job, label }) => html`<div role="status"><progress max=${job.of} value=${Math.max(0, job.step - 0.5)} aria-label=${label}></progress><p class="muted">${job.cancelled ? t.cancelling : `${job.step} / ${job.of} · ${said(job.said) || t.working}`}</p></div>`;

function Columns({ t, other, names }) {
  const { job, error } = useJob("columns", () => post("/api/compare/columns", { other }));
  return html`<${Problem} text=${error} />${job?.running && html`<${Steps} ...${{ t, job, label: t.byColumn }} />`}${job?.result && html`<${ByColumn} ...${{ t, found: job.result, names }} />`}`;
}

function ByColumn({ t, found, names }) {
  const most = Math.max(1e-9, ...found.columns.map((c) => Math.abs(c.difference)));
  const cell = (c, what) => c.models.every((m) => m[what] == null) ? "" : c.models.map((m) => (m[what] == null ? "" : percent(m[what]))).join(" · ");
  const table = { columns: ["column", "difference", "error", ...names.map((n) => `log_p ${n}`), ...names.map((n) => `right ${n}`), ...names.map((n) => `inside ${n}`)], rows: found.columns.map((c) => [c.name, c.difference, c.error, ...["log_p", "right", "inside"].flatMap((what) => c.models.map((m) => m[what]))]) };
  const inside = found.models.filter((m) => m.coverage.length), classes = found.models.filter((m) => m.stated.length);
  return html`<div class="scroll" tabindex="0"><table class="diverging"><thead><tr><th>${t.column}</th><th>${t.differenceHead}</th><th></th><th>${t.right}</th><th>${t.insideHead}</th></tr></thead>
      <tbody>${found.columns.map((c) => html`<tr><td>${c.name} <span class="muted">${t.kindNames[c.kind] ?? c.kind}</span></td><td><span class="both" aria-hidden="true"><span class=${c.difference < 0 ? "less" : "more"} style=${{ width: `${(50 * Math.abs(c.difference)) / most}%` }}></span></span></td><td class="number">${Math.abs(c.difference) > 1.96 * c.error ? html`<b>${signed(c.difference)}</b>` : signed(c.difference)} ± ${short(c.error)}</td><td>${c.models.some((m) => m.inside != null) ? `R² ${c.models.map((m) => short(m.right)).join(" · ")}` : cell(c, "right")}</td><td>${cell(c, "inside")}</td></tr>`)}</tbody></table></div>
    <p class="muted">${t.order}: ${names.join(" · ")}. ${t.boldSure}</p>
    <div class="pair">${inside.length > 0 && html`<${Picture} ...${{ t, name: "coverage", table: { columns: ["model", "stated", "inside"], rows: inside.flatMap((m) => m.coverage.map((x, i) => [m.name, x, m.inside[i]])) } }}><h4>${t.intervals}</h4><${Diagonal} x=${t.stated} y=${t.inInterval} lines=${inside.map((m) => ({ name: m.name, x: m.coverage, y: m.inside }))} /></${Picture}>`}
      ${classes.length > 0 && html`<${Picture} ...${{ t, name: "calibration", table: { columns: ["model", "stated", "came", "count"], rows: classes.flatMap((m) => m.stated.map((x, i) => [m.name, x, m.came[i], m.count[i]])) } }}><h4>${t.classes}</h4><${Diagonal} x=${t.stated} y=${t.came} lines=${classes.map((m) => ({ name: m.name, x: m.stated, y: m.came, size: m.count }))} /></${Picture}>`}</div>
    <${Legend} names=${found.models.map((m) => (m.off == null ? m.name : `${m.name}: ${t.off} ${percent(m.off)}`))} />`;
}
const Legend = ({ names }) => html`<div class="legend">${names.map((n, i) => html`<span><i class=${i ? "second" : "first"}></i>${n}</span>`)}</div>`;

function Drawn({ t, found }) {
  if (found.images) return html`<div class="pair">${found.images.map((some, i) => html`<div class="panel"><h4>${found.names[i]}</h4><div class="mosaic">${some.map((image) => html`<${Pixels} image=${image} />`)}</div></div>`)}</div>`;
  return html`<${Legend} names=${found.names} /><div class="grid">${found.columns.map((c) => html`<section class="card" key=${c.name}><h3>${c.name}</h3>
    ${c.models.map((m, i) => html`<div class=${i ? "second" : "first"}><p class="said">${found.names[i]}</p>${m.form === "classes" ? html`<${Bars} column=${m} />` : html`<${Histogram} column=${m} label=${`${c.name}, ${found.names[i]}`} />`}</div>`)}</section>`)}</div>`;
}

export function Pixels({ image }) {
  const draw = (canvas) => {
    if (!canvas) return;
    const h = image.length, w = image[0].length, g = canvas.getContext("2d"), pixels = g.createImageData(w, h);
    image.flat().forEach((v, i) => { const grey = Math.round(255 * (1 - (Array.isArray(v) ? v.reduce((a, b) => a + b) / v.length : v))); pixels.data.set([grey, grey, grey, 255], 4 * i); });
    g.putImageData(pixels, 0, 0);
  };
  return html`<canvas class="image" width=${image[0].length} height=${image.length} ref=${draw} role="img" aria-label="image"></canvas>`;
}

export function Audit({ t, state }) {
  const { job, error, ask } = useJob("audit"), [rows, setRows] = useState(50), [every, setEvery] = useState(false);
  const not = !state.model || state.model.form === "exact" ? t.needModel : state.data ? "" : t.needData, running = job?.running, found = job?.result;
  return html`<h2>${t.auditTitle}</h2><p class="lead">${t.auditLead}</p><${Problem} text=${not || error} />
    ${!not && html`<div class="row"><label class="field">${t.auditRows}<select disabled=${running} onChange=${(e) => setRows(+e.target.value)}>${[20, 50, 100, 200].map((n) => html`<option value=${n} selected=${n === rows}>${n}</option>`)}</select></label>
      <label><input type="checkbox" checked=${every} disabled=${running} onChange=${(e) => setEvery(e.target.checked)} /> ${t.auditAll}</label>
      ${running ? html`<button class="plain" disabled=${job.cancelled} onClick=${() => ask(post("/api/job/audit/cancel"))}>${t.cancel}</button>` : html`<button class="go" onClick=${() => ask(post("/api/audit", { rows, every }))}>${t.auditStart}</button>`}</div>
    ${running && html`<div class="panel"><${Steps} ...${{ t, job, label: t.auditTitle }} /></div>`}
    ${job && !running && job.cancelled && html`<p role="status">${t.cancelled}</p>`}
    ${found && html`<${Audited} ...${{ t, found }} />`}`}`;
}

function Audited({ t, found }) {
  const shown = found.ladder.filter((f) => f.value != null);
  return html`<div class="panel"><h3>${t.findings} <small class="muted">${found.model}</small></h3><ul class="findings">${found.said.map((s) => html`<li>${said(s)}</li>`)}</ul>
      ${found.notes.map((n) => html`<p class="warn" role="alert">${said(n)}</p>`)}<p class="muted">${found.fresh ? t.auditFresh : t.auditNotFresh}</p><${Code} ...${{ t, code: found.code }} /></div>
    <div class="panel"><${Picture} ...${{ t, name: "ladder", table: { columns: ["name", "value", "error", "kind"], rows: shown.map((f) => [f.name, f.value, f.error, f.kind]) } }}><h3>${t.ladder}</h3><p class="muted">${t.ladderLead}</p>
      <${Intervals} rows=${shown.map((f) => ({ name: f.name, said: t.kinds[f.kind] ?? f.kind, value: f.value, error: f.error, second: f.kind === "exact" }))} unit=${t.natsRow} digits=${3} /></${Picture}></div>
    ${found.figures.length > 0 && html`<div class="scroll" tabindex="0"><table><thead><tr><th>${t.figure}</th><th>${t.value}</th><th>±</th><th>${t.meaning}</th></tr></thead><tbody>${found.figures.map((f) => html`<tr><td title=${f.group}>${f.name}</td><td class="number">${short(f.value)}</td><td class="number">${f.error == null ? "" : short(f.error)}</td><td class="wide muted">${said(f.meaning)}</td></tr>`)}</tbody></table></div>`}`;
}
