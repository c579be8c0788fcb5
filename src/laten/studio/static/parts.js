// What several pages share: bars, histograms, tables, code, and waiting for an answer.
import { html, useState, useEffect, useLayoutEffect, useRef } from "/static/vendor/preact-htm.js";
import { said } from "/static/said.js";
const d3 = window.d3;

export const percent = (p) => (p == null ? "" : p >= 0.0995 ? `${(100 * p).toFixed(0)} %` : p >= 0.00095 ? `${(100 * p).toFixed(1)} %` : p > 0 ? "< 0.1 %" : "0 %");
// A number in about four digits, never with an exponent below a million.
export function short(x) {
  if (x == null) return "";
  const size = Math.abs(x);
  if (size >= 1e6) return d3.format(".3~s")(x);
  if (size >= 1000) return d3.format(",.0f")(x).replace(/,/g, "\u202f");
  return size < 1e-3 && x !== 0 ? d3.format(".2~e")(x) : String(+x.toPrecision(size >= 100 ? 4 : 3));
}

export const signed = (x) => (x > 0 ? `+${short(x)}` : short(x).replace("-", "−"));

// An answer of the server: `found`, `error`, `busy`; asked anew when what it depends on changes. Late answers are dropped.
export function useAnswer(ask, depends) {
  const [state, set] = useState({ found: null, error: "", busy: true });
  const turn = useRef(0);
  useLayoutEffect(() => { // at once: an effect would wait for a frame to be drawn
    const mine = ++turn.current;
    set((s) => ({ ...s, busy: true, error: "" }));
    ask().then(
      (found) => mine === turn.current && set({ found, error: "", busy: false }),
      (error) => mine === turn.current && set((s) => ({ ...s, error: error.message, busy: false })),
    );
  }, depends);
  return state;
}

// Ctrl+Z, where no text is being edited.
export function useUndo(undo, depends) {
  useEffect(() => {
    if (!undo) return undefined;
    const key = (e) => { if ((e.ctrlKey || e.metaKey) && !e.shiftKey && e.key.toLowerCase() === "z" && !/^(text|number|textarea)$/.test(e.target.type ?? "")) { e.preventDefault(); undo(); } };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, depends);
}

export const Problem = ({ text }) => (text ? html`<p class="warn" role="alert">${said(text)}</p>` : null);
export const Busy = ({ t, busy }) => html`<span class="dots" role="status">${busy ? t.working : ""}</span>`;

export function Bars({ column, chosen = [], onPick }) {
  const most = Math.max(1e-9, ...column.p, ...(column.prior ?? []));
  const width = (p) => `${Math.min(100, (100 * p) / most)}%`;
  return html`<div>
    ${column.labels.map((label, i) => {
      const picked = chosen.includes(column.index[i]);
      const inner = html`<span class="name" title=${label}>${label}</span>
        <span class="track"><span class="now" style=${{ width: width(column.p[i]) }}></span>
        ${column.prior && html`<span class="was" style=${{ width: width(column.prior[i]) }}></span>`}</span>
        <span class="much">${percent(column.p[i])}</span>`;
      return onPick
        ? html`<button type="button" class=${`bar ${picked ? "chosen" : ""}`} aria-pressed=${picked} aria-label=${`${column.name}: ${label}, ${percent(column.p[i])}`} onClick=${(e) => onPick(column.index[i], e.shiftKey || e.ctrlKey || e.metaKey)}>${inner}</button>`
        : html`<div class="bar">${inner}</div>`;
    })}
    ${column.others > 0 && html`<div class="bar muted"><span class="name">+ ${column.others}</span><span class="track"><span class="now" style=${{ width: width(column.others_p) }}></span></span><span class="much">${percent(column.others_p)}</span></div>`}
  </div>`;
}

// What bars or a histogram show, as a table.
export function drawnOf(c) {
  const prior = c.prior ? ["prior"] : [], at = (i) => (c.prior ? [c.prior[i]] : []);
  if (c.form === "classes") return { columns: ["value", "probability", ...prior], rows: c.labels.map((l, i) => [l, c.p[i], ...at(i)]) };
  const write = c.form === "date" ? (v) => new Date(v).toISOString() : (v) => v;
  return { columns: ["from", "to", "probability", ...prior], rows: c.p.map((p, i) => [write(c.edges[i]), write(c.edges[i + 1]), p, ...at(i)]) };
}

export function axisOf(column, width) {
  const domain = [column.edges[0], column.edges[column.edges.length - 1]];
  const scale = (column.form === "date" ? d3.scaleUtc() : d3.scaleLinear()).domain(domain).range([0, width]);
  const write = column.form === "date" ? scale.tickFormat(4) : column.form === "duration" ? lasting : short;
  return { scale, ticks: scale.ticks(4).map((v) => ({ x: scale(v), text: write(v) })) };
}
function lasting(s) {
  return Math.abs(s) >= 172800 ? `${short(s / 86400)} d` : Math.abs(s) >= 7200 ? `${short(s / 3600)} h` : Math.abs(s) >= 120 ? `${short(s / 60)} min` : `${short(s)} s`;
}

// A histogram; `onBrush`: a range can be dragged; `mark`: a threshold that `onMark` moves, by the pointer or by keys.
export function Histogram({ column, given, onBrush, label, zero, mark, onMark, step, said: name, wide }) {
  const svg = useRef(null), [drag, setDrag] = useState(null), W = !wide ? 300 : innerWidth < 700 ? 340 : 720, H = wide ? 150 : 84;
  const { scale, ticks } = axisOf(column, W);
  const widths = column.edges.slice(1).map((e, i) => e - column.edges[i]);
  const most = Math.max(1e-12, ...column.p.map((p, i) => p / widths[i]), ...(column.prior ?? []).map((p, i) => p / widths[i]));
  const y = (p, i) => H - 16 - ((H - 22) * p) / widths[i] / most;
  const outline = column.prior && column.prior.map((p, i) => `${i ? "L" : "M"}${scale(column.edges[i])},${y(p, i)}H${scale(column.edges[i + 1])}`).join("");
  const at = (event) => {
    const box = svg.current.getBoundingClientRect();
    return Math.min(W, Math.max(0, ((event.clientX - box.left) / box.width) * W));
  };
  const end = () => {
    if (drag && Math.abs(drag[1] - drag[0]) > 4) onBrush(...[...drag].sort((a, b) => a - b).map((x) => +scale.invert(x)));
    setDrag(null);
  };
  const brush = onBrush ? {
    onPointerDown: (e) => { e.currentTarget.setPointerCapture(e.pointerId); const x = at(e); setDrag([x, x]); },
    onPointerMove: (e) => drag && setDrag([drag[0], at(e)]), onPointerUp: end, onPointerCancel: () => setDrag(null),
  } : onMark ? {
    onPointerDown: (e) => { e.currentTarget.setPointerCapture(e.pointerId); setDrag([]); onMark(+scale.invert(at(e))); }, onPointerMove: (e) => drag && onMark(+scale.invert(at(e))), onPointerUp: () => setDrag(null), onPointerCancel: () => setDrag(null),
  } : {};
  const [least, greatest] = scale.domain(), place = mark != null ? Math.min(W, Math.max(0, scale(mark))) : 0;
  const key = (e) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[e.key], end = { Home: least, End: greatest }[e.key];
    if (by || end != null) { e.preventDefault(); onMark(Math.min(greatest, Math.max(least, end ?? mark + by * step))); }
  };
  return html`<svg ref=${svg} viewBox=${`0 0 ${W} ${H}`} role=${onMark ? "group" : "img"} aria-label=${label ?? column.name} style=${{ touchAction: "pan-y", cursor: onMark ? "ew-resize" : onBrush ? "crosshair" : "default" }} ...${brush}>
    <rect x="0" y="0" width=${W} height=${H} fill="transparent" />
    ${column.p.map((p, i) => html`<rect class=${given || (mark != null && column.edges[i] + column.edges[i + 1] < 2 * mark) ? "given" : "now"} x=${scale(column.edges[i]) + 0.4} width=${Math.max(0.5, scale(column.edges[i + 1]) - scale(column.edges[i]) - 0.8)} y=${y(p, i)} height=${Math.max(0, H - 16 - y(p, i))} />`)}
    ${outline && html`<path class="was" d=${outline} />`}
    ${zero && html`<line class="agree" x1=${scale(0)} x2=${scale(0)} y1="0" y2=${H - 16} />`}
    <line class="axis" x1="0" x2=${W} y1=${H - 15.5} y2=${H - 15.5} />
    ${ticks.map((k) => html`<text x=${k.x} y=${H - 3} text-anchor=${k.x < 14 ? "start" : k.x > W - 14 ? "end" : "middle"}>${k.text}</text>`)}
    ${mark != null && html`<g class="mark" role="slider" tabindex="0" aria-label=${name} aria-valuemin=${+least.toFixed(2)} aria-valuemax=${+greatest.toFixed(2)} aria-valuenow=${+mark.toFixed(2)} onKeyDown=${key}><line x1=${place} x2=${place} y1="0" y2=${H - 16} /><circle cx=${place} cy="9" r="8" /></g>`}
    ${drag?.length === 2 && html`<rect class="brush" x=${Math.min(...drag)} width=${Math.abs(drag[1] - drag[0])} y="0" height=${H - 16} />`}
  </svg>`;
}

export function Rows({ table, cell, top, head }) {
  return html`<div class="scroll" tabindex="0"><table><thead><tr>${head && html`<th>${head[0]}</th>`}${table.columns.map((c, j) => (top && top(c, j)) || html`<th>${c}</th>`)}</tr></thead>
    <tbody>${table.rows.map((row, i) => html`<tr>${head && html`<td class="muted">${head[1][i]}</td>`}${row.map((v, j) => (cell && cell(i, j, v)) || html`<td class=${v == null ? "empty" : ""} title=${v ?? ""}>${v ?? ""}</td>`)}</tr>`)}</tbody></table></div>`;
}

export function Code({ t, code }) {
  const [said, say] = useState("");
  if (!code) return null;
  const copy = (what) => navigator.clipboard.writeText(code[what]).then(() => { say(what); setTimeout(() => say(""), 1500); });
  return html`<details class="code"><summary>${t.copy}</summary>
    ${["python", "command"].filter((w) => code[w]).map((what) => html`<pre tabindex="0" data-code=${what}>${code[what]}</pre><button class="plain" onClick=${() => copy(what)}>${said === what ? t.copied : t.copyIt}</button>`)}</details>`;
}
