// Map: rows in two dimensions of the latents; what a point, or a setting of the sliders, stands for.
import { html, useEffect, useRef, useState, useMemo } from "/static/vendor/preact-htm.js";
import { get, post } from "/static/api.js";
import { Busy, Problem, Rows, short, useAnswer } from "/static/parts.js";
const d3 = window.d3;
const CLASSES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#882255", "#999933", "#117733", "#aa4499"];

export function LatentMap({ t, state, theme }) {
  const [colour, setColour] = useState(""), [method, setMethod] = useState("auto"), [z, setZ] = useState(null), [row, setRow] = useState(null), [picked, setPicked] = useState([]);
  const model = state.model, usable = model && model.form !== "exact" && state.data;
  const names = useAnswer(() => (usable && state.data.form === "table" ? get("/api/columns") : Promise.resolve([])), [state.data?.name]);
  const map = useAnswer(() => (usable ? get(`/api/map?colour=${encodeURIComponent(colour)}&method=${method}`) : Promise.resolve(null)), [colour, method, model?.name, model?.bound]);
  useEffect(() => { if (map.found) setZ((old) => old ?? map.found.z[0].map(() => 0)); }, [map.found]);
  const decoded = useAnswer(() => (z ? post("/api/decode", { z }) : Promise.resolve(null)), [JSON.stringify(z)]);
  if (!model || model.form === "exact") return html`<${Problem} text=${t.needModel} />`;
  if (!state.data) return html`<${Problem} text=${t.needData} />`;
  const show = (i) => { setRow(i); setZ(map.found.z[i]); };
  return html`<h2>${t.mapTitle}</h2><p class="lead">${t.mapLead}</p>
    <div class="row">
      ${(names.found ?? []).length > 0 && html`<label class="field">${t.colour}<select value=${colour} onChange=${(e) => setColour(e.target.value)}><option value="">${t.none}</option>${names.found.filter((c) => !c.aside).map((c) => html`<option value=${c.name}>${c.name}</option>`)}</select></label>`}
      ${model.latents.length > 2 && html`<label class="field">${t.plane}<select value=${method} onChange=${(e) => setMethod(e.target.value)}><option value="auto">${t.auto}</option><option value="axes">${t.axes}</option></select></label>`}
      <${Busy} ...${{ t, busy: map.busy || decoded.busy }} /></div>
    <${Problem} text=${map.error || decoded.error} />
    ${map.found && html`<div class="two"><div class="panel"><${Points} ...${{ map: map.found, row, show, picked, setPicked, theme }} />
        <p class="muted">${map.found.note}${row != null ? ` · ${t.row} ${map.found.rows[row]}` : ""}</p><${Legend} colour=${map.found.colour} />
        ${picked.length > 0 && html`<p>${picked.length} ${t.rows} ${t.selected} <button class="plain" onClick=${() => setPicked([])}>${t.unselect}</button></p><${Selected} ...${{ t, map: map.found, picked, model }} />`}</div>
      <div class="panel"><h3 style=${{ marginTop: 0 }}>${t.decoded}</h3>
        ${decoded.found?.image && html`<${Picture} image=${decoded.found.image} />`}
        ${decoded.found?.row && html`<table><tbody>${decoded.found.row.columns.map((c, i) => html`<tr><td class="muted">${c}</td><td>${decoded.found.row.rows[0][i] ?? ""}</td></tr>`)}</tbody></table>`}
        <div style=${{ marginTop: ".8rem" }}>${z && model.latents.map((name, i) => html`<label class="slider"><span>${name}</span><input type="range" min="-3.5" max="3.5" step="0.05" value=${z[i] ?? 0} onInput=${(e) => { setRow(null); setZ(z.map((v, j) => (j === i ? +e.target.value : v))); }} /><output>${(z[i] ?? 0).toFixed(2)}</output></label>`)}</div></div></div>`}`;
}

function shades(colour) {
  if (!colour) return () => null;
  if (colour.labels) return (v) => (v == null || v < 0 ? "#b9c2c9" : CLASSES[v % CLASSES.length]);
  const known = colour.values.filter((v) => v != null).sort(d3.ascending), scale = d3.scaleSequential([d3.quantile(known, 0.02), d3.quantile(known, 0.98)], d3.interpolateViridis).clamp(true);
  return (v) => (v == null ? "#b9c2c9" : scale(v));
}

function Points({ map, row, show, picked, setPicked, theme }) {
  const canvas = useRef(null), [drag, setDrag] = useState(null);
  const W = 1200, H = 900, pad = 20;
  const { x, y, tree } = useMemo(() => {
    const of = (k, range) => { const [a, b] = d3.extent(map.points, (p) => p[k]); return d3.scaleLinear([a, b === a ? a + 1 : b], range); };
    const x = of(0, [pad, W - pad]), y = of(1, [H - pad, pad]);
    return { x, y, tree: d3.quadtree(map.points.map((p, i) => [x(p[0]), y(p[1]), i])) };
  }, [map]);
  useEffect(() => {
    const g = canvas.current.getContext("2d"), style = getComputedStyle(document.documentElement), shade = shades(map.colour);
    g.clearRect(0, 0, W, H);
    const chosen = new Set(picked), size = map.points.length > 3000 ? 3 : 4.5;
    map.points.forEach((p, i) => { g.globalAlpha = picked.length && !chosen.has(i) ? 0.15 : 0.75; g.fillStyle = (map.colour && shade(map.colour.values[i])) || style.getPropertyValue("--accent"); g.beginPath(); g.arc(x(p[0]), y(p[1]), size, 0, 7); g.fill(); });
    g.globalAlpha = 1;
    if (row != null) { g.strokeStyle = style.getPropertyValue("--ink"); g.lineWidth = 4; g.beginPath(); g.arc(x(map.points[row][0]), y(map.points[row][1]), 12, 0, 7); g.stroke(); }
    if (drag && drag.length > 2) { g.strokeStyle = style.getPropertyValue("--evidence"); g.lineWidth = 3; g.beginPath(); drag.forEach(([a, b], i) => (i ? g.lineTo(a, b) : g.moveTo(a, b))); g.closePath(); g.stroke(); }
  }, [map, row, picked, drag, theme]);
  const at = (e) => { const b = canvas.current.getBoundingClientRect(); return [((e.clientX - b.left) / b.width) * W, ((e.clientY - b.top) / b.height) * H]; };
  const near = (p) => tree.find(p[0], p[1], 40)?.[2];
  const move = (e) => { const p = at(e); if (drag) setDrag([...drag, p]); else { const i = near(p); if (i != null && i !== row) show(i); } };
  const up = (e) => { if (drag && drag.length > 6) setPicked(map.points.flatMap((p, i) => (d3.polygonContains(drag, [x(p[0]), y(p[1])]) ? [i] : []))); else { const i = near(at(e)); if (i != null) show(i); } setDrag(null); };
  const key = (e) => { const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key]; if (step) { e.preventDefault(); show(((row ?? -step) + step + map.points.length) % map.points.length); } };
  return html`<canvas class="map" ref=${canvas} width=${W} height=${H} tabindex="0" role="application" aria-label=${`${map.axes[0]}, ${map.axes[1]}: ${map.points.length}`} onPointerDown=${(e) => { e.currentTarget.setPointerCapture(e.pointerId); setDrag([at(e)]); }} onPointerMove=${move} onPointerUp=${up} onKeyDown=${key}></canvas>
    <div class="muted" style=${{ display: "flex", justifyContent: "space-between" }}><span>→ ${map.axes[0]}</span><span>↑ ${map.axes[1]}</span></div>`;
}

function Legend({ colour }) {
  if (!colour) return null;
  if (colour.labels) return html`<div class="legend">${colour.labels.map((l, i) => html`<span><i style=${{ background: CLASSES[i % CLASSES.length] }}></i>${l}</span>`)}</div>`;
  const known = colour.values.filter((v) => v != null).sort(d3.ascending), ends = [0.02, 0.5, 0.98].map((q) => d3.quantile(known, q));
  const write = colour.date ? (v) => new Date(v * 86400000).toISOString().slice(0, 10) : short;
  return html`<div class="legend">${ends.map((v, i) => html`<span><i style=${{ background: d3.interpolateViridis(i / 2) }}></i>${write(v)}</span>`)}</div>`;
}

function Picture({ image }) {
  const canvas = useRef(null);
  useEffect(() => {
    const h = image.length, w = image[0].length, g = canvas.current.getContext("2d"), pixels = g.createImageData(w, h);
    image.flat().forEach((v, i) => { const grey = Math.round(255 * (1 - (Array.isArray(v) ? d3.mean(v) : v))); pixels.data.set([grey, grey, grey, 255], 4 * i); });
    canvas.current.width = w; canvas.current.height = h; g.putImageData(pixels, 0, 0);
  }, [image]);
  return html`<canvas class="image" ref=${canvas} role="img" aria-label="image"></canvas>`;
}

function Selected({ t, map, picked, model }) {
  const inside = new Set(picked), mean = (keep, k) => d3.mean(map.z.filter((_, i) => keep(i)), (z) => z[k]);
  const table = { columns: ["", t.selected, t.others], rows: model.latents.map((n, k) => [n, short(mean((i) => inside.has(i), k)), short(mean((i) => !inside.has(i), k))]) };
  return html`<${Rows} table=${table} />`;
}
