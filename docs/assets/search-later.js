// The index of search is as large as the rest of a page: from a folder on disk it is loaded when the reader first moves.
const appendAtOnce = Element.prototype.appendChild;
Element.prototype.appendChild = function (node) {
  if (node.tagName !== "SCRIPT" || !node.src.endsWith("/search.js")) return appendAtOnce.call(this, node);
  const load = () => node.isConnected || appendAtOnce.call(this, node);
  for (const event of ["pointermove", "pointerdown", "keydown", "scroll"]) addEventListener(event, load, { once: true, capture: true });
  return node;
};
