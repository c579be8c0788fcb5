// A cloud of up to a million points on a canvas: moved, zoomed, pointed at, and lassoed. Pixels are written by hand:
// it takes no graphics card, and looks the same everywhere.
import { said } from "/static/said.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "/static/vendor/preact-htm.js";
const d3 = window.d3;

const W = 1200, H = 900, PAD = 24, CELLS = 256, NEAR = 14; // pixels; cells of the index along each side; reach of a pointer
const CLASSES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#882255", "#999933", "#117733", "#aa4499"], MISSING = "#b9c2c9", STEPS = 200;

const rgb = (text) => { const c = d3.rgb(text.trim()); return [c.r, c.g, c.b]; };

// The colour of each point as a place in a palette.
export function shaded(map) {
  const codes = new Uint8Array(map.n), colour = map.colour;
  if (!colour) return { codes, palette: null, legend: [] };
  if (colour.labels) {
    map.values.forEach((v, i) => { codes[i] = v >= 0 && v < CLASSES.length ? v : CLASSES.length; });
    return { codes, palette: [...CLASSES, MISSING], legend: [...colour.labels.slice(0, CLASSES.length).map((l, i) => [CLASSES[i], l]), ...(colour.labels.length > CLASSES.length ? [[MISSING, `+ ${colour.labels.length - CLASSES.length}`]] : [])] };
  }
  const known = Float32Array.from(map.values).filter((v) => !Number.isNaN(v)).sort(), ends = [0.02, 0.5, 0.98].map((q) => d3.quantileSorted(known, q)), [low, , high] = ends;
  map.values.forEach((v, i) => { codes[i] = Number.isNaN(v) ? STEPS : Math.max(0, Math.min(STEPS - 1, Math.floor(((v - low) / (high - low || 1)) * STEPS))); });
  return { codes, palette: [...d3.range(STEPS).map((i) => d3.interpolateViridis(i / (STEPS - 1))), MISSING], legend: ends.map((v, i) => [d3.interpolateViridis(i / 2), v]) };
}

// Where points lie on the canvas before it is moved, and which of them lie in each cell.
function laid(map) {
  const x = new Float32Array(map.n), y = new Float32Array(map.n), [a, b] = d3.extent(map.x), [c, d] = d3.extent(map.y), sx = (W - 2 * PAD) / (b - a || 1), sy = (H - 2 * PAD) / (d - c || 1);
  const first = new Uint32Array(CELLS * CELLS + 1), cell = new Uint16Array(map.n), items = new Uint32Array(map.n);
  for (let i = 0; i < map.n; i++) {
    x[i] = PAD + (map.x[i] - a) * sx; y[i] = H - PAD - (map.y[i] - c) * sy;
    cell[i] = Math.min(CELLS - 1, (y[i] / H) * CELLS | 0) * CELLS + Math.min(CELLS - 1, (x[i] / W) * CELLS | 0);
    first[cell[i] + 1]++;
  }
  for (let k = 0; k < CELLS * CELLS; k++) first[k + 1] += first[k];
  const next = first.slice();
  for (let i = 0; i < map.n; i++) items[next[cell[i]]++] = i;
  return { x, y, first, items, place: ([u, v]) => [PAD + (u - a) * sx, H - PAD - (v - c) * sy] };
}

function nearest({ x, y, first, items }, px, py, reach) {
  const of = (v, size) => Math.max(0, Math.min(CELLS - 1, Math.floor((v / size) * CELLS)));
  let best = -1, least = reach * reach;
  for (let r = of(py - reach, H); r <= of(py + reach, H); r++) for (let k = first[r * CELLS + of(px - reach, W)]; k < first[r * CELLS + of(px + reach, W) + 1]; k++) {
    const i = items[k], far = (x[i] - px) ** 2 + (y[i] - py) ** 2;
    if (far < least) { least = far; best = i; }
  }
  return best;
}

// The pixels of a dot as steps from its middle, and how much each is covered, of 256.
function dot(radius) {
  const steps = [], covers = [], size = Math.ceil(radius);
  for (let j = -size; j <= size; j++) for (let i = -size; i <= size; i++) { const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(i, j))); if (cover > 0.2) { steps.push(j * W + i); covers.push(256 * cover); } }
  return [Int32Array.from(steps), Float32Array.from(covers)];
}

function paint(pixels, { x, y }, { k, tx, ty }, codes, colours, ground, inside, quick) {
  const n = x.length, [steps, covers] = dot(n > 200000 || (quick && n > 20000) ? 0.5 : n > 20000 ? 1 : n > 3000 ? 2.5 : 4), strength = n > 200000 ? 0.4 : n > 20000 && !quick ? 0.5 : 0.75, marks = steps.length;
  const full = Int32Array.from(covers, (c) => c * strength), faint = Int32Array.from(covers, (c) => c * strength * 0.2), palette = Uint8Array.from(colours.flat()), data = new Uint32Array(pixels.data.buffer);
  data.fill((255 << 24) | (ground[2] << 16) | (ground[1] << 8) | ground[0]);
  for (let i = 0, stride = quick ? Math.ceil(n / 250000) : 1; i < n; i += stride) {
    const px = (x[i] * k + tx) | 0, py = (y[i] * k + ty) | 0;
    if (px < 5 || py < 5 || px >= W - 5 || py >= H - 5) continue;
    const c = 3 * codes[i], r = palette[c], g = palette[c + 1], b = palette[c + 2], cover = inside && !inside[i] ? faint : full, middle = py * W + px;
    for (let m = 0; m < marks; m++) {
      const at = middle + steps[m], a = cover[m], old = data[at], r0 = old & 255, g0 = (old >> 8) & 255, b0 = (old >> 16) & 255;
      data[at] = 0xff000000 | ((b0 + (((b - b0) * a) >> 8)) << 16) | ((g0 + (((g - g0) * a) >> 8)) << 8) | (r0 + (((r - r0) * a) >> 8));
    }
  }
}

// Lines of equal density, in the places of the points. Of the server: a grid of each group, and the heights of its lines.
function contours({ place }, density) {
  const d3contours = d3.contours().size([density.side, density.side]);
  return density.groups.flatMap((g) => {
    const at = ([i, j]) => place([g.x[0] + (i / density.side) * (g.x[1] - g.x[0]), g.y[0] + (j / density.side) * (g.y[1] - g.y[0])]);
    return d3contours.thresholds(g.heights)(g.values).map((c, k) => ({ of: g.class, wide: k > 0 || g.class != null ? 4 : 2.5, rings: c.coordinates.flat().map((ring) => ring.map(at)) }));
  });
}

export function Scatter({ t, map, shade, row, show, picked, setPicked, line, setLine, density, theme }) {
  const canvas = useRef(null), start = useRef(null), [lasso, setLasso] = useState(null), [moving, setMoving] = useState(null), [mode, setMode] = useState("lasso"), [drawn, setDrawn] = useState(null), [view, setView] = useState({ k: 1, tx: 0, ty: 0 });
  const cloud = useMemo(() => laid(map), [map]), pixels = useMemo(() => new ImageData(W, H), []);
  const rings = useMemo(() => (density ? contours(cloud, density) : []), [cloud, density]);
  useEffect(() => setView({ k: 1, tx: 0, ty: 0 }), [map.x]);
  const inside = useMemo(() => { if (!picked.length) return null; const mask = new Uint8Array(map.n); picked.forEach((i) => { mask[i] = 1; }); return mask; }, [picked, map]);
  const colours = useMemo(() => (shade.palette ?? [getComputedStyle(document.documentElement).getPropertyValue("--accent")]).map(rgb), [shade, theme]);
  useLayoutEffect(() => { // at once: an effect after the frame would leave out every second one
    const g = canvas.current.getContext("2d"), style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name), at = ([a, b]) => [a * view.k + view.tx, b * view.k + view.ty];
    paint(pixels, cloud, view, shade.codes, colours, rgb(of("--card")), inside, moving !== null);
    g.putImageData(pixels, 0, 0);
    const outline = (ring) => { g.beginPath(); ring.forEach((p) => g.lineTo(...at(p))); g.stroke(); };
    rings.forEach((r) => { g.strokeStyle = r.of == null ? of("--ink") : CLASSES[r.of]; g.lineWidth = r.wide; r.rings.forEach(outline); });
    if (row != null) { g.strokeStyle = of("--ink"); g.lineWidth = 4; g.beginPath(); g.arc(...at([cloud.x[row], cloud.y[row]]), 12, 0, 7); g.stroke(); }
    const ends = drawn ?? line?.map((i) => [cloud.x[i], cloud.y[i]]);
    if (ends) { g.strokeStyle = of("--evidence"); g.lineWidth = 4; g.beginPath(); ends.forEach((p) => g.lineTo(...at(p))); g.stroke(); ends.forEach((p) => { g.beginPath(); g.arc(...at(p), 9, 0, 7); g.stroke(); }); }
    if (lasso?.length > 2) { g.strokeStyle = of("--evidence"); g.lineWidth = 3; g.beginPath(); lasso.forEach((p) => g.lineTo(...at(p))); g.closePath(); g.stroke(); }
  }, [map, shade, row, inside, lasso, line, drawn, rings, colours, theme, view, moving !== null]);
  const on = (e) => { const b = canvas.current.getBoundingClientRect(); return [((e.clientX - b.left) / b.width) * W, ((e.clientY - b.top) / b.height) * H]; };
  const under = (e) => { const [a, b] = on(e); return [(a - view.tx) / view.k, (b - view.ty) / view.k]; };
  const zoom = (factor, [a, b] = [W / 2, H / 2]) => setView((v) => { const k = Math.max(1, Math.min(200, v.k * factor)), f = k / v.k; return kept({ k, tx: a - (a - v.tx) * f, ty: b - (b - v.ty) * f }); });
  const kept = (v) => ({ k: v.k, tx: Math.min(W / 2, Math.max(W / 2 - W * v.k, v.tx)), ty: Math.min(H / 2, Math.max(H / 2 - H * v.k, v.ty)) });
  const pan = (dx, dy) => setView((v) => kept({ k: v.k, tx: v.tx + dx, ty: v.ty + dy }));
  useEffect(() => { const c = canvas.current, wheel = (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY / 400), on(e)); }; c.addEventListener("wheel", wheel, { passive: false }); return () => c.removeEventListener("wheel", wheel); }, []);
  const down = (e) => { e.currentTarget.setPointerCapture(e.pointerId); const p = under(e); if (e.shiftKey || mode === "move") setMoving(on(e)); else if (mode === "line") setDrawn([p, p]); else setLasso([p]); };
  const point = (e) => { const i = nearest(cloud, ...under(e), NEAR / view.k); if (i >= 0 && i !== row) show(i); };
  const move = (e) => { if (drawn) setDrawn([drawn[0], under(e)]); else if (lasso) setLasso([...lasso, under(e)]); else if (moving) { const p = on(e); pan(p[0] - moving[0], p[1] - moving[1]); setMoving(p); } else point(e); };
  const up = (e) => {
    if (drawn) { const [a, b] = [drawn[0], under(e)].map((p) => nearest(cloud, ...p, W)); if (a !== b) setLine([a, b]); else point(e); }
    if (lasso?.length > 6) { const [a, b] = d3.extent(lasso, (p) => p[0]), [c, d] = d3.extent(lasso, (p) => p[1]), found = []; for (let i = 0; i < map.n; i++) { const p = [cloud.x[i], cloud.y[i]]; if (p[0] >= a && p[0] <= b && p[1] >= c && p[1] <= d && d3.polygonContains(lasso, p)) found.push(i); } setPicked(found); } else if (lasso) point(e);
    setLasso(null); setMoving(null); setDrawn(null);
  };
  const key = (e) => {
    const step = { ArrowRight: [1, -60, 0], ArrowLeft: [-1, 60, 0], ArrowUp: [0, 0, 60], ArrowDown: [0, 0, -60] }[e.key], factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5 }[e.key];
    if (e.key === "Enter" && row != null) { e.preventDefault(); if (start.current == null || start.current === row) start.current = row; else { setLine([start.current, row]); start.current = null; } }
    if (!step && !factor && e.key !== "0") return;
    e.preventDefault();
    if (factor) zoom(factor); else if (e.key === "0") setView({ k: 1, tx: 0, ty: 0 }); else if (e.shiftKey || !step[0]) pan(step[1], step[2]); else show(((row ?? -step[0]) + step[0] + map.n) % map.n);
  };
  const choice = (name, label) => html`<button type="button" class="plain" aria-pressed=${mode === name} onClick=${() => setMode(name)}>${label}</button>`;
  return html`<div class="row modes">${choice("lasso", t.lasso)}${choice("line", t.line)}${choice("move", t.move)}<button type="button" class="plain" aria-label=${t.zoomIn} onClick=${() => zoom(1.5)}>+</button><button type="button" class="plain" aria-label=${t.zoomOut} onClick=${() => zoom(1 / 1.5)}>−</button>${view.k > 1 && html`<button type="button" class="plain" onClick=${() => setView({ k: 1, tx: 0, ty: 0 })}>${t.wholeMap}</button>`}</div>
    <canvas class="map" style=${{ cursor: mode !== "move" ? "crosshair" : moving ? "grabbing" : "grab" }} ref=${canvas} width=${W} height=${H} tabindex="0" role="application" aria-label=${`${map.axes[0]}, ${map.axes[1]}: ${map.n}. ${t.mapKeys}`} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${() => { setLasso(null); setMoving(null); setDrawn(null); }} onKeyDown=${key}></canvas>
    <div class="muted" style=${{ display: "flex", flexWrap: "wrap", gap: "0 1rem", justifyContent: "space-between" }}><span>→ ${said(map.axes[0])}</span><span>↑ ${said(map.axes[1])}</span></div>`;
}
