// What the server says, in the language of the page: a table of its sentences, with {holes} for what changes in them.
// A sentence that is not in the table stays as it is.
const TABLE = await fetch("/static/said.json").then((answer) => answer.json());
const known = new Map(), rules = TABLE.map(([english, sentence]) => [new RegExp(`^${english.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? `(?<${part}>.+?)` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))).join("")}$`, "s"), sentence]);
let language = "en";

export const speak = (name) => { language = name; };
export function said(text) {
  if (language === "en" || !text) return text;
  if (!known.has(text)) known.set(text, other(text) ?? text.split("; ").map((part) => other(part) ?? part).join("; "));
  return known.get(text);
}

function other(text) {
  for (const [rule, sentence] of rules) {
    const found = rule.exec(text);
    if (found) return sentence.replace(/\{(\w+)\}/g, (_, name) => found.groups[name]);
  }
  return null;
}
