// Odd rows: all rows by log p, a threshold that is moved over them, and what makes a row odd.
import { html, useEffect, useRef, useState } from "/static/vendor/preact-htm.js";
import { get } from "/static/api.js";
import { Busy, Code, Histogram, Problem, short, signed, useAnswer } from "/static/parts.js";
import { Picture } from "/static/pictures.js";
import { ready } from "/static/tables.js";

const PAUSE = 120; // milliseconds without a move, after which the server is asked

const value = (found, i, c) => found.table.rows[i][found.table.columns.indexOf(c)] ?? "∅";
const worst = (found, i, n) => found.columns.map((c, j) => [c, found.excess[i][j]]).sort((a, b) => b[1] - a[1]).slice(0, n);

export function Odd({ t, state }) {
  const [below, setBelow] = useState(null), [open, setOpen] = useState(0), asked = below == null ? "" : `?below=${below}`;
  const not = ready(t, state), { found, error, busy } = useAnswer(() => (not ? Promise.resolve(null) : get(`/api/odd${asked}`)), [asked, state.model?.name, state.model?.bound, not]);
  const at = found && Math.min(open, found.rows.length - 1);
  return html`<h2>${t.odd}</h2><p class="lead">${t.oddLead}</p><${Problem} text=${not || error} /><${Busy} ...${{ t, busy: busy && !found }} />
    ${found && html`<${Threshold} ...${{ t, found, set: setBelow }} />
      ${found.rows.length > 0 && html`<div class="two"><div class="scroll" tabindex="0"><table><thead><tr><th>${t.row}</th><th>${t.logp}</th><th>${t.why}</th></tr></thead>
        <tbody>${found.rows.map((row, i) => html`<tr aria-selected=${i === at}><td><button class="plain" onClick=${() => setOpen(i)}>${row}</button></td><td>${found.log_p[i].toFixed(1)}</td><td>${worst(found, i, 2).map(([c, x]) => `${c} = ${value(found, i, c)} (+${x.toFixed(1)})`).join(", ")}</td></tr>`)}</tbody></table></div>
        <div class="panel"><${Picture} ...${{ t, name: `row ${found.rows[at]}`, table: { columns: ["column", "value", "nats"], rows: worst(found, at, found.columns.length).map(([c, x]) => [c, value(found, at, c), x]) } }}><h3 style=${{ marginTop: 0 }}>${t.row} ${found.rows[at]}</h3><${Waterfall} ...${{ found, open: at }} /></${Picture}>
          <${Ordinary} key=${found.rows[at]} ...${{ t, row: found.rows[at], column: worst(found, at, 1)[0][0] }} /></div></div>
        ${found.count > found.rows.length && html`<p class="muted">${t.oddShown.replace("{n}", found.rows.length)}</p>`}`}`}`;
}

// Log p of all rows, and the threshold below which a row is odd: dragged, moved by the arrow keys, or typed.
function Threshold({ t, found, set }) {
  const [moved, setMoved] = useState(null), later = useRef(0), now = moved ?? found.threshold, step = found.edges[1] - found.edges[0];
  useEffect(() => () => clearTimeout(later.current), []);
  useEffect(() => setMoved(null), [found]);
  const move = (x) => { setMoved(x); clearTimeout(later.current); later.current = setTimeout(() => set(+x.toFixed(3)), PAUSE); };
  const type = (e) => { const x = Number(e.target.value); if (e.target.value !== "" && Number.isFinite(x)) move(x); };
  return html`<div class="panel two"><${Picture} ...${{ t, name: "log_p", table: { columns: ["from", "to", "rows"], rows: found.counts.map((n, i) => [found.edges[i], found.edges[i + 1], n]) } }}><h3 style=${{ marginTop: 0 }}>${t.scores}</h3>
      <${Histogram} column=${{ name: "log p", form: "number", edges: found.edges, p: found.counts }} label=${t.scores} mark=${now} step=${step} said=${t.threshold} onMark=${move} wide=${true} /></${Picture}>
    <div><p aria-live="polite" class="verdict"><b>${found.count.toLocaleString()}</b> ${t.oddCount.replace("{of}", found.of.toLocaleString())}</p>${found.clipped > 0 && html`<p class="muted">${t.clipped.replace("{n}", found.clipped)}</p>`}
      <div class="row"><label class="field">${t.threshold}<input type="number" step="any" value=${+now.toFixed(3)} onChange=${type} /></label></div><p><a href=${`/api/odd.csv?below=${found.threshold}`} download>${t.oddFile}</a></p><${Code} ...${{ t, code: found.code }} /></div></div>`;
}

function Ordinary({ t, row, column }) {
  const { found, error, busy } = useAnswer(() => get(`/api/ordinary?row=${row}&column=${encodeURIComponent(column)}`), []);
  return html`<p aria-live="polite">${column}: <span class="muted">${t.ordinary}</span> ${found && html`<b>${found.value}</b>`}<${Busy} ...${{ t, busy }} /></p><${Problem} text=${error} />`;
}

function Waterfall({ found, open }) {
  const parts = worst(found, open, found.columns.length), most = Math.max(1, ...parts.map(([, x]) => Math.abs(x)));
  return html`<div>${parts.map(([c, x]) => html`<div class="bar" title=${`${c} = ${value(found, open, c)}`}><span class="name">${c} <span class="muted">${value(found, open, c)}</span></span><span class="track"><span class="now" style=${{ width: `${(100 * Math.max(0, x)) / most}%` }}></span></span><span class="much">${Math.abs(x) < 0.05 ? "0" : signed(+x.toFixed(1))}</span></div>`)}</div>`;
}
