// Write a digit: q(z | x) and its decoding appear. Rub part of it out: the model fills it in, several times, with log p of each.

import { button, data, element, logNormal, normals } from "figures/parts";
import { canvas, decoder, encoder, paint, sigmoid } from "figures/nets";

const TEXT = {
  en: { pad: "Write a digit here", write: "Write", rub: "Rub out", clear: "Clear", again: "Other draws", example: "An example", seen: "what the model sees", decoded: "decoded from the mean of q(z | x)", q: "q(z | x): mean ± one sd of each latent",
    filled: "filled in, with log p of each image", empty: "Nothing is written yet. Write a digit with the mouse, a finger, or press “An example”.", all: "Everything is rubbed out: what appears are draws from the prior.", hint: "Rub out part of the digit: those pixels count as not seen, and are drawn from p(hidden | seen)." },
  id: { pad: "Tulis sebuah angka di sini", write: "Tulis", rub: "Hapus", clear: "Bersihkan", again: "Tarikan lain", example: "Contoh", seen: "yang dilihat model", decoded: "didekodekan dari rata-rata q(z | x)", q: "q(z | x): rata-rata ± satu simpangan baku setiap laten",
    filled: "terisi, dengan log p setiap gambar", empty: "Belum ada tulisan. Tulislah sebuah angka dengan tetikus atau jari, atau tekan “Contoh”.", all: "Semua terhapus: yang tampak adalah sampel dari prior.", hint: "Hapus sebagian angka: piksel itu dianggap tidak terlihat, dan diambil dari p(tersembunyi | terlihat)." },
};
const PAD = 240, SIDE = 8, FILLED = 5, DRAWS = 200;
const EXAMPLE = [[0.3, 0.28], [0.42, 0.18], [0.6, 0.2], [0.68, 0.33], [0.6, 0.48], [0.45, 0.6], [0.32, 0.78], [0.5, 0.79], [0.72, 0.78]];

/** Centre and scale ink on a pad of n × n to 8 × 8 as the training digits were: their box fills the height, 0 to 1. Null without ink. */
export function centred(ink, rubbed, n) {
  let [left, right, top, bottom] = [n, -1, n, -1];
  for (let i = 0; i < n * n; i++)
    if (ink[i] > 0.05 || (rubbed[i] && ink[i] < 0)) {
      const [r, c] = [Math.floor(i / n), i % n];
      [left, right, top, bottom] = [Math.min(left, c), Math.max(right, c), Math.min(top, r), Math.max(bottom, r)];
    }
  if (right < 0) return null;
  const size = Math.max(bottom - top + 1, (right - left + 1), n / 12), cy = (top + bottom) / 2, cx = (left + right) / 2;
  const pixels = new Float64Array(64), seen = new Float64Array(64), cell = size / SIDE;
  for (let r = 0; r < SIDE; r++)
    for (let c = 0; c < SIDE; c++) {
      let sum = 0, gone = 0, count = 0;
      for (let a = 0; a < 6; a++)
        for (let b = 0; b < 6; b++) {
          const y = Math.round(cy + (r + (a + 0.5) / 6 - SIDE / 2) * cell), x = Math.round(cx + (c + (b + 0.5) / 6 - SIDE / 2) * cell);
          count++;
          if (y < 0 || x < 0 || y >= n || x >= n) continue;
          sum += Math.max(ink[y * n + x], 0);
          gone += rubbed[y * n + x];
        }
      pixels[r * SIDE + c] = Math.min(1, (1.35 * sum) / count);
      seen[r * SIDE + c] = gone / count > 0.5 ? 0 : 1;
    }
  return { pixels, seen };
}

/** Draws of the hidden pixels: importance resampling from q, with log p of the seen pixels, and of each filled image. */
export function filled(encode, decode, pixels, seen, next, uniform = Math.random) {
  const { mean, sd } = encode(pixels, seen), tried = [];
  for (let s = 0; s < DRAWS; s++) {
    const z = mean.map((m, i) => m + sd[i] * next()), p = decode(z);
    let w = 0;
    z.forEach((v, i) => (w += logNormal(v, 0, 1) - logNormal(v, mean[i], sd[i])));
    pixels.forEach((x, i) => { if (seen[i]) w += x * Math.log(p[i] + 1e-12) + (1 - x) * Math.log(1 - p[i] + 1e-12); });
    tried.push({ p, w });
  }
  const top = Math.max(...tried.map((t) => t.w)), share = tried.map((t) => Math.exp(t.w - top)), total = share.reduce((a, b) => a + b, 0);
  const pick = () => {
    let u = uniform() * total;
    return tried[Math.max(share.findIndex((v) => (u -= v) < 0), 0)];
  };
  const images = Array.from({ length: FILLED }, () => {
    const { p } = pick();
    return Float64Array.from(pixels, (x, i) => (seen[i] ? x : p[i]));
  });
  return { images, log_seen: top + Math.log(total / DRAWS), mean, sd };
}

export async function show(stage, language) {
  const text = TEXT[language], model = await data("draw"), encode = encoder(model.encoder), decode = decoder(model.decoder);
  const ink = new Float64Array(PAD * PAD), rubbed = new Uint8Array(PAD * PAD);
  const [pad, on_pad] = canvas(PAD, PAD, text.pad), [seen, on_seen] = canvas(110, 110, text.seen), [again, on_again] = canvas(110, 110, text.decoded), [bars, on_bars] = canvas(220, 110, text.q);
  const copies = Array.from({ length: FILLED }, () => canvas(110, 110, text.filled)), labels = copies.map(() => element("figcaption", { class: "numbers" }));
  pad.className = "pad";
  let rubbing = false, lastPoint = null, seed = 5;
  const said = element("p", { class: "said", "aria-live": "polite" });

  function dab(x, y) {
    const radius = rubbing ? 20 : 11;
    for (let r = Math.max(0, Math.floor(y - radius)); r <= Math.min(PAD - 1, y + radius); r++)
      for (let c = Math.max(0, Math.floor(x - radius)); c <= Math.min(PAD - 1, x + radius); c++) {
        const d = Math.hypot(r - y, c - x);
        if (d > radius) continue;
        const i = r * PAD + c;
        if (rubbing) { rubbed[i] = 1; if (ink[i] > 0) ink[i] = -ink[i]; }
        else { ink[i] = Math.max(Math.abs(ink[i]), Math.min(1, (radius - d) / 4)); rubbed[i] = 0; }
      }
  }
  function stroke(from, to) {
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 3));
    for (let k = 0; k <= steps; k++) dab(from[0] + ((to[0] - from[0]) * k) / steps, from[1] + ((to[1] - from[1]) * k) / steps);
  }
  function show_pad() {
    const dark = document.body.getAttribute("data-md-color-scheme") === "slate", picture = new ImageData(PAD, PAD);
    const paper = dark ? 28 : 255, line = dark ? 226 : 15;
    for (let i = 0; i < PAD * PAD; i++) {
      const base = rubbed[i] ? (((i % PAD) + Math.floor(i / PAD)) % 12 < 2 ? 130 : paper) : paper;
      const v = base + (line - base) * Math.max(ink[i], 0);
      picture.data.set([v, v, v + (dark ? 8 : 0), 255], 4 * i);
    }
    const small = new OffscreenCanvas(PAD, PAD);
    small.getContext("2d").putImageData(picture, 0, 0);
    on_pad.drawImage(small, 0, 0, PAD, PAD);
  }
  function update() {
    show_pad();
    const found = centred(ink, rubbed, PAD);
    stage.dataset.empty = String(!found);
    if (!found) {
      said.textContent = text.empty;
      for (const [context, w] of [[on_seen, 110], [on_again, 110], [on_bars, 220], ...copies.map(([, c]) => [c, 110])]) context.clearRect(0, 0, w, 110);
      labels.forEach((l) => (l.textContent = ""));
      return;
    }
    const { pixels, seen: visible } = found, q = filled(encode, decode, pixels, visible, normals(seed), uniform(seed));
    said.textContent = visible.some((v) => v) ? "" : text.all;
    paint(on_seen, pixels.map((v, i) => (visible[i] ? v : 0.35)), 0, 0, 110);
    paint(on_again, decode(q.mean), 0, 0, 110);
    q.images.forEach((image, k) => {
      paint(copies[k][1], image, 0, 0, 110);
      const whole = filled(encode, decode, image, image.map(() => 1), normals(seed + k + 1), uniform(seed));
      labels[k].textContent = `log p ${whole.log_seen.toFixed(1)}`;
    });
    draw_q(q);
    stage.dataset.log = String(q.log_seen);
  }
  function draw_q({ mean, sd }) {
    const css = getComputedStyle(stage), wide = 220 / mean.length, y = (v) => 55 - (v * 48) / 3.2;
    on_bars.clearRect(0, 0, 220, 110);
    on_bars.fillStyle = css.getPropertyValue("--rule");
    on_bars.fillRect(0, 54.5, 220, 1);
    mean.forEach((m, i) => {
      on_bars.fillStyle = `${css.getPropertyValue("--q").trim()}77`;
      on_bars.fillRect(i * wide + wide * 0.25, y(m + sd[i]), wide * 0.5, Math.max(y(m - sd[i]) - y(m + sd[i]), 1));
      on_bars.fillStyle = css.getPropertyValue("--q");
      on_bars.fillRect(i * wide + wide * 0.2, y(m) - 1.5, wide * 0.6, 3);
    });
  }
  const uniform = (s) => { const next = normals(s + 99); return () => (sigmoid(1.702 * next())); };
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); lastPoint = place(event); stroke(lastPoint, lastPoint); show_pad(); });
  pad.addEventListener("pointermove", (event) => { if (!event.buttons || !lastPoint) return; const p = place(event); stroke(lastPoint, p); lastPoint = p; show_pad(); });
  pad.addEventListener("pointerup", () => { lastPoint = null; update(); });
  const mode = (rub) => { rubbing = rub; write.setAttribute("aria-pressed", String(!rub)); rubber.setAttribute("aria-pressed", String(rub)); };
  const write = button(text.write, () => mode(false)), rubber = button(text.rub, () => mode(true));
  const clear = button(text.clear, () => { ink.fill(0); rubbed.fill(0); mode(false); update(); });
  const example = button(text.example, () => {
    ink.fill(0);
    rubbed.fill(0);
    mode(false);
    EXAMPLE.slice(1).forEach((p, i) => stroke(EXAMPLE[i].map((v) => v * PAD), p.map((v) => v * PAD)));
    update();
  });
  const others = button(text.again, () => { seed += 10; update(); });
  const labelled = (made, words) => element("figure", {}, made, element("figcaption", {}, words));
  stage.append(element("div", { class: "drawing" },
    element("div", { class: "drawing-pad" }, pad, element("div", { class: "controls" }, write, rubber, clear, example)),
    element("div", { class: "drawing-seen" }, labelled(seen, text.seen), labelled(again, text.decoded), labelled(bars, text.q))),
    element("p", { class: "moving-title" }, text.filled), element("div", { class: "copies" }, ...copies.map(([c], k) => element("figure", {}, c, labels[k]))),
    element("div", { class: "controls" }, others), said, element("p", { class: "hint" }, text.hint));
  stage.api = { encode: (p, s) => { const q = encode(p, s); return { mean: Array.from(q.mean), sd: Array.from(q.sd) }; }, decode: (z) => Array.from(decode(z)), centred };
  new MutationObserver(update).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
  mode(false);
  update();
}
