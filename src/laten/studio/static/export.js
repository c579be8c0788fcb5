// A picture as a file: SVG with its style inside, PNG drawn from that, or the numbers as CSV.
import { html } from "/static/vendor/preact-htm.js";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "font-weight", "text-anchor"];
const SCALE = 2; // pixels of a PNG for each of the page

export function save(content, name) {
  const url = URL.createObjectURL(content), a = document.createElement("a");
  a.href = url; a.download = name; a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const quoted = (v) => { const text = v == null ? "" : String(v); return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text; };
export const csv = (table) => [table.columns, ...table.rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";

// What is drawn in an element, as SVG text: its SVG, its canvas as an image, or bars of HTML as rectangles and text.
export function svgOf(element) {
  const old = element.querySelector("svg.drawn, svg:not(.icon)"), canvas = element.querySelector("canvas"), ground = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
  if (canvas) return `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}"><image width="${canvas.width}" height="${canvas.height}" href="${canvas.toDataURL()}"/></svg>`;
  if (!old) return barsOf(element, ground);
  const svg = old.cloneNode(true), box = old.viewBox.baseVal, from = [old, ...old.querySelectorAll("*")], to = [svg, ...svg.querySelectorAll("*")];
  from.forEach((a, i) => { const style = getComputedStyle(a); STYLES.forEach((s) => to[i].style.setProperty(s, style.getPropertyValue(s))); });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg"); svg.setAttribute("width", box.width); svg.setAttribute("height", box.height); svg.style.background = ground;
  return new XMLSerializer().serializeToString(svg);
}

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
function barsOf(element, ground) {
  const box = element.getBoundingClientRect(), ink = getComputedStyle(element).color, parts = [];
  const place = (r) => `x="${(r.left - box.left).toFixed(1)}" y="${(r.top - box.top).toFixed(1)}" width="${r.width.toFixed(1)}" height="${r.height.toFixed(1)}"`;
  element.querySelectorAll(".track, .now").forEach((e) => parts.push(`<rect ${place(e.getBoundingClientRect())} fill="${getComputedStyle(e).backgroundColor}"/>`));
  element.querySelectorAll(".was").forEach((e) => { const r = e.getBoundingClientRect(), x = r.right - box.left - 1; parts.push(`<line x1="${x}" x2="${x}" y1="${r.top - box.top}" y2="${r.bottom - box.top}" stroke="${getComputedStyle(e).borderRightColor}" stroke-width="2"/>`); });
  element.querySelectorAll(".name, .much").forEach((e) => { const r = e.getBoundingClientRect(), last = e.classList.contains("much"); parts.push(`<text x="${(last ? r.right : r.left) - box.left}" y="${r.bottom - box.top - 5}" text-anchor="${last ? "end" : "start"}" font-size="13" font-family="sans-serif" fill="${ink}">${escaped(e.textContent)}</text>`); });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${box.width}" height="${box.height}" style="background:${ground}">${parts.join("")}</svg>`;
}

async function png(text, name) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas"), g = canvas.getContext("2d");
  canvas.width = SCALE * image.width; canvas.height = SCALE * image.height;
  g.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--card"); g.fillRect(0, 0, canvas.width, canvas.height);
  g.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, `${name}.png`));
}

// The menu of a picture. `of`: a reference to the element that holds it; `table`: what is drawn.
export function Export({ t, name, table, of }) {
  const file = name.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  const close = (e) => { const menu = e.currentTarget.closest("details"); menu.open = false; menu.querySelector("summary").focus(); };
  const leave = (e) => { if (!e.currentTarget.contains(e.relatedTarget)) e.currentTarget.open = false; };
  const take = { PNG: () => png(svgOf(of.current), file), SVG: () => save(new Blob([svgOf(of.current)], { type: "image/svg+xml" }), `${file}.svg`), CSV: () => save(new Blob([csv(typeof table === "function" ? table() : table)], { type: "text/csv" }), `${file}.csv`) };
  return html`<details class="take" onFocusOut=${leave} onKeyDown=${(e) => e.key === "Escape" && close(e)}><summary aria-label=${`${t.takeAway}: ${name}`} title=${t.takeAway}><svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10" fill="none" stroke="currentColor" stroke-width="1.5" /></svg></summary>
    <div>${Object.keys(take).map((kind) => html`<button type="button" onClick=${(e) => { take[kind](); close(e); }}>${kind}</button>`)}</div></details>`;
}
