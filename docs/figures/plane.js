// The plane of two latents: point at it and a digit is decoded; drag a line and see the way along it; posteriors of real digits as ellipses.

import { data, element, scale } from "figures/parts";
import { TEN, canvas, decoder, numbers, paint } from "figures/nets";

const TEXT = {
  en: { plane: "The plane of latents. Point at it, or use the arrow keys.", decoded: "decoded here", line: "along the line that you dragged", hint: "Drag to draw a line. Each ellipse is q(z | x) of a real test digit, one standard deviation wide; its colour is the digit.", nearest: "nearest real digit" },
  id: { plane: "Bidang laten. Tunjuk sebuah tempat, atau pakai tombol panah.", decoded: "hasil dekode di sini", line: "sepanjang garis yang Anda seret", hint: "Seret untuk menarik garis. Setiap elips adalah q(z | x) dari satu angka uji, selebar satu simpangan baku; warnanya adalah angkanya.", nearest: "angka asli terdekat" },
};
const SIDE = 400, STEPS = 10, REACH = 2.7;

export async function show(stage, language) {
  const text = TEXT[language], model = await data("plane"), decode = decoder(model.decoder), real = numbers(model.image, Uint8Array);
  const [plane, on_plane] = canvas(SIDE, SIDE, text.plane), [one, on_one] = canvas(150, 150, text.decoded), [near, on_near] = canvas(150, 150, text.nearest);
  const [strip, on_strip] = canvas(640, 64, text.line);
  plane.tabIndex = 0;
  plane.setAttribute("role", "application");
  const x = scale([-REACH, REACH], [0, SIDE]), y = scale([-REACH, REACH], [SIDE, 0]);
  const state = { z: [0, 0], from: [-2, -1], to: [2, 1] };
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const middles = Array.from({ length: 10 }, (_, digit) => [0, 1].map((k) => middle(model.mean.filter((_, i) => model.label[i] === digit).map((m) => m[k]))));
  const where = element("p", { class: "numbers", "aria-live": "polite" });

  function draw() {
    const css = getComputedStyle(stage);
    on_plane.clearRect(0, 0, SIDE, SIDE);
    on_plane.strokeStyle = css.getPropertyValue("--rule");
    on_plane.strokeRect(0.5, 0.5, SIDE - 1, SIDE - 1);
    model.mean.forEach((mean, i) => {
      on_plane.beginPath();
      on_plane.ellipse(x(mean[0]), y(mean[1]), (model.sd[i][0] * SIDE) / (2 * REACH), (model.sd[i][1] * SIDE) / (2 * REACH), 0, 0, 7);
      on_plane.fillStyle = `${TEN[model.label[i]]}66`;
      on_plane.strokeStyle = TEN[model.label[i]];
      on_plane.fill();
      on_plane.stroke();
    });
    on_plane.font = "700 13px sans-serif";
    on_plane.textAlign = "center";
    middles.forEach(([a, b], digit) => {
      on_plane.lineWidth = 3;
      on_plane.strokeStyle = css.getPropertyValue("--stage");
      on_plane.fillStyle = css.getPropertyValue("--ink");
      on_plane.strokeText(String(digit), x(a), y(b) + 5);
      on_plane.fillText(String(digit), x(a), y(b) + 5);
    });
    on_plane.strokeStyle = css.getPropertyValue("--ink");
    on_plane.lineWidth = 2;
    on_plane.beginPath();
    on_plane.moveTo(x(state.from[0]), y(state.from[1]));
    on_plane.lineTo(x(state.to[0]), y(state.to[1]));
    on_plane.stroke();
    on_plane.lineWidth = 1;
    on_plane.beginPath();
    on_plane.arc(x(state.z[0]), y(state.z[1]), 6, 0, 7);
    on_plane.fillStyle = css.getPropertyValue("--p");
    on_plane.fill();
    paint(on_one, decode(state.z), 0, 0, 150);
    const closest = model.mean.reduce((best, m, i) => (distance(m) < distance(model.mean[best]) ? i : best), 0);
    paint(on_near, Float32Array.from(real.subarray(64 * closest, 64 * closest + 64), (v) => v / 255), 0, 0, 150);
    for (let i = 0; i < STEPS; i++) {
      const t = i / (STEPS - 1);
      paint(on_strip, decode(state.from.map((a, k) => a + t * (state.to[k] - a))), i * 64, 0, 62);
    }
    where.textContent = `z = (${state.z[0].toFixed(2)}, ${state.z[1].toFixed(2)})`;
    stage.dataset.z = JSON.stringify(state.z);
  }
  const distance = (m) => (m[0] - state.z[0]) ** 2 + (m[1] - state.z[1]) ** 2;
  const place = (event) => {
    const box = plane.getBoundingClientRect();
    const keep = (v) => Math.min(Math.max(v, -REACH), REACH);
    return [keep(x.back(((event.clientX - box.left) / box.width) * SIDE)), keep(y.back(((event.clientY - box.top) / box.height) * SIDE))];
  };
  plane.addEventListener("pointerdown", (event) => { plane.setPointerCapture(event.pointerId); state.from = state.to = state.z = place(event); draw(); });
  plane.addEventListener("pointermove", (event) => { state.z = place(event); if (event.buttons) state.to = state.z; draw(); });
  plane.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!step) return;
    event.preventDefault();
    state.z = state.z.map((v, k) => Math.min(Math.max(v + step[k], -REACH), REACH));
    if (event.shiftKey) state.to = state.z;
    draw();
  });
  stage.append(element("div", { class: "plane" }, plane,
    element("div", { class: "plane-side" }, element("figure", {}, one, element("figcaption", {}, text.decoded)), element("figure", {}, near, element("figcaption", {}, text.nearest)))),
    where, element("figure", { class: "strip" }, strip, element("figcaption", {}, text.line)), element("p", { class: "hint" }, text.hint));
  stage.api = { decode: (z) => Array.from(decode(z)), state };
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
  draw();
}
