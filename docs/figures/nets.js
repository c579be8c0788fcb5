// The forward pass of small nets in the reader's browser: the same arithmetic as laten's, tested against it to 1e-4.

/** Turn base64 into the bytes' numbers. */
export function numbers(text, Kind = Float32Array) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Kind(bytes.buffer);
}

/** Make a function from inputs to raw outputs: affine layers with rectifiers between them. */
export function net({ sizes, weights, biases }) {
  const w = weights.map((text) => numbers(text)), b = biases.map((text) => numbers(text));
  return (input) => {
    let x = input;
    for (let layer = 0; layer < w.length; layer++) {
      const from = sizes[layer], to = sizes[layer + 1], out = Float64Array.from(b[layer]);
      for (let i = 0; i < from; i++) {
        const value = x[i];
        if (value) for (let j = 0; j < to; j++) out[j] += value * w[layer][i * to + j];
      }
      if (layer < w.length - 1) for (let j = 0; j < to; j++) out[j] = Math.max(out[j], 0);
      x = out;
    }
    return x;
  };
}

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Make a decoder: latents -> the probability of each pixel. */
export function decoder(layers) {
  const raw = net(layers);
  return (z) => raw(z).map(sigmoid);
}

/** Make an encoder: pixels and which of them are seen -> means and standard deviations of the latents. */
export function encoder(layers) {
  const raw = net(layers);
  return (pixels, seen) => {
    const input = layers.sizes[0] > pixels.length
      ? Float64Array.from({ length: 2 * pixels.length }, (_, i) => (i < pixels.length ? pixels[i] * seen[i] : seen[i - pixels.length]))
      : pixels;
    const out = raw(input), n = out.length / 2;
    return { mean: out.slice(0, n), sd: out.slice(n).map((s) => Math.exp(7 * Math.tanh(s / 7))) };
  };
}

/** Paint an 8 x 8 image, 0 to 1, into a square of a canvas: ink on paper, in the colours of the theme, softly enlarged. */
export function paint(context, image, left, top, size, side = 8) {
  const dark = document.body.getAttribute("data-md-color-scheme") === "slate";
  const ink = dark ? [226, 232, 240] : [15, 23, 42], paper = dark ? [23, 32, 46] : [255, 255, 255];
  const small = new OffscreenCanvas(side, side), pixels = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = paper[c] + (ink[c] - paper[c]) * image[i];
    pixels.data[4 * i + 3] = 255;
  }
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, left, top, size, size);
}

/** Ten colours for ten digits, told apart by the colour-blind as far as ten can be. */
export const TEN = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f3fbf", "#8c564b", "#6b7280", "#2f9e44"];

/** Make a canvas that is sharp on every screen. */
export function canvas(width, height, label) {
  const made = document.createElement("canvas"), ratio = Math.min(devicePixelRatio || 1, 3);
  made.width = width * ratio;
  made.height = height * ratio;
  made.style.aspectRatio = `${width} / ${height}`;
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  const context = made.getContext("2d");
  context.scale(ratio, ratio);
  return [made, context];
}
