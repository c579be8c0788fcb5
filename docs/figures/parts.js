// What the moving figures share: elements, colours of the theme, a plot's axes, sliders that say their value.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element with attributes and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Make an SVG element with attributes and children. */
export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Make a labelled slider; `moved(value)` is called when it moves. It has `.value` and `set(value)`. */
export function slider(label, min, max, step, value, moved, shown = (x) => x.toFixed(2)) {
  const input = element("input", { type: "range", min, max, step, value, "aria-label": label });
  const output = element("output", {}, shown(value));
  const whole = element("label", { class: "slider" }, element("span", {}, label), input, output);
  input.addEventListener("input", () => {
    output.textContent = shown(+input.value);
    moved(+input.value);
  });
  whole.set = (x) => {
    input.value = x;
    output.textContent = shown(+input.value);
  };
  Object.defineProperty(whole, "value", { get: () => +input.value });
  return whole;
}

/** Make a button. */
export function button(text, pressed) {
  return element("button", { type: "button", class: "figure-button", onclick: pressed }, text);
}

/** Whether the reader asks for little motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A linear scale from one interval to another. */
export function scale([a, b], [c, d]) {
  const to = (x) => c + ((x - a) / (b - a)) * (d - c);
  to.back = (y) => a + ((y - c) / (d - c)) * (b - a);
  return to;
}

/** How many units wide a plot is: fewer on a narrow page, where its text would be too small to read. */
export const breadth = (stage) => (stage.clientWidth > 480 ? 640 : 340);

/** The text of an SVG path through points. */
export const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

/** Draw an axis below a plot. */
export function axis(x, ticks, top, width, label) {
  const group = drawn("g", { class: "axis" });
  group.append(drawn("line", { x1: x(ticks[0]), x2: x(ticks[ticks.length - 1]), y1: top, y2: top }));
  for (const tick of ticks) {
    group.append(drawn("line", { x1: x(tick), x2: x(tick), y1: top, y2: top + 5 }));
    group.append(drawn("text", { x: x(tick), y: top + 18, "text-anchor": "middle" }, String(tick)));
  }
  if (label) group.append(drawn("text", { x: width, y: top + 18, "text-anchor": "end", class: "axis-label" }, label));
  return group;
}

/** The logarithm of a normal density. */
export const logNormal = (x, mean, sd) => -0.5 * ((x - mean) / sd) ** 2 - Math.log(sd) - 0.5 * Math.log(2 * Math.PI);

/** Standard normal draws from a seed: the same for every reader. */
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Read numbers that the build wrote. */
export async function data(name) {
  return (await import(`figures/data/${name}`)).default;
}
