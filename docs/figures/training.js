// A training, replayed: the bound rising towards log p(x), the plane of latents forming, the manifold of digits.

import { axis, breadth, button, data, drawn, element, path, scale, slider, still } from "figures/parts";
import { TEN, canvas, numbers, paint } from "figures/nets";

const TEXT = {
  en: { play: "Play", stop: "Stop", epoch: "epoch", elbo: "ELBO", log_p: "log p(x) at the end", latents: "means of q(z | x) of test digits", manifold: "what each place of the plane decodes to", nats: "nats a row" },
  id: { play: "Putar", stop: "Berhenti", epoch: "epoch", elbo: "ELBO", log_p: "log p(x) di akhir", latents: "rata-rata q(z | x) dari angka uji", manifold: "hasil dekode setiap tempat di bidang", nats: "nat per baris" },
};

export async function show(stage, language) {
  const text = TEXT[language], { frames, history, log_p, label, side } = await data("training");
  const images = frames.map((frame) => numbers(frame.manifold, Uint8Array));
  const width = breadth(stage), last = history[history.length - 1][0];
  const low = Math.min(...history.map(([, b]) => b)), x = scale([0, last], [44, width - 14]), y = scale([Math.max(low, log_p - 16) - 0.5, log_p + 1], [132, 14]);
  const marker = drawn("circle", { r: 5, class: "dot-q" });
  const curve = drawn("svg", { viewBox: `0 0 ${width} 160`, class: "plot", role: "img", "aria-label": text.elbo });
  const ticks = [0, 1, 2, 3, 4].map((k) => Math.round((last * k) / 4));
  curve.append(axis(x, ticks, 132, width, ""), drawn("line", { x1: 44, x2: width - 14, y1: y(log_p), y2: y(log_p), class: "bar-mark", "stroke-dasharray": "5 4" }),
    drawn("text", { x: width - 16, y: y(log_p) - 4, "text-anchor": "end", class: "small" }, `${text.log_p} = ${log_p.toFixed(2)} ${text.nats}`),
    drawn("path", { d: path(history.filter(([, b]) => b >= y.back(134)).map(([e, b]) => [x(e), y(b)])), class: "q-line" }), marker);
  const numbers_ = element("p", { class: "numbers", "aria-live": "off" });
  const [plane, on_plane] = canvas(310, 310, text.latents), [grid, on_grid] = canvas(310, 310, text.manifold);
  let at = frames.length - 1, timer = 0;

  function draw() {
    const frame = frames[at], css = getComputedStyle(stage);
    on_plane.clearRect(0, 0, 310, 310);
    on_plane.strokeStyle = css.getPropertyValue("--rule");
    on_plane.strokeRect(0.5, 0.5, 309, 309);
    const to = scale([-3.6, 3.6], [0, 310]);
    on_plane.font = "600 11px sans-serif";
    on_plane.textAlign = "center";
    frame.mean.forEach(([a, b], i) => {
      on_plane.fillStyle = TEN[label[i]];
      on_plane.fillText(String(label[i]), to(a), 310 - to(b) + 4);
    });
    const size = 310 / side;
    for (let i = 0; i < side * side; i++)
      paint(on_grid, Float32Array.from(images[at].subarray(64 * i, 64 * i + 64), (v) => v / 255), (i % side) * size, Math.floor(i / side) * size, size);
    const point = history.find(([epoch]) => epoch >= frame.epoch) ?? history[0];
    marker.setAttribute("cx", x(frame.epoch));
    marker.setAttribute("cy", Math.min(y(point[1]), 132));
    numbers_.textContent = frame.epoch ? `${text.epoch} ${frame.epoch}   ${text.elbo} ${point[1].toFixed(2)} ${text.nats}` : `${text.epoch} 0`;
    place.set(at);
    stage.dataset.epoch = String(frame.epoch);
  }
  const place = slider(text.epoch, 0, frames.length - 1, 1, at, (v) => { at = v; draw(); }, (i) => String(frames[i].epoch));
  const halt = () => { clearInterval(timer); timer = 0; play.textContent = text.play; };
  const play = button(text.play, () => {
    if (timer) return halt();
    at = 0;
    draw();
    play.textContent = text.stop;
    timer = setInterval(() => { at += 1; draw(); if (at === frames.length - 1) halt(); }, still() ? 1500 : 700);
  });
  stage.append(curve, numbers_, element("div", { class: "controls" }, place, play),
    element("div", { class: "pair" }, element("figure", {}, plane, element("figcaption", {}, text.latents)), element("figure", {}, grid, element("figcaption", {}, text.manifold))));
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
  draw();
}
