// Questions to the studio's server. An answer that is an error carries a sentence for the user.
async function answer(response) {
  const body = await response.json().catch(() => ({ detail: `${response.status} ${response.statusText}` }));
  if (!response.ok) { const said = body.detail ?? body.error; throw new Error(typeof said === "string" ? said : JSON.stringify(said)); }
  return body;
}
export const get = (path) => fetch(path).then(answer);
export const post = (path, body = {}) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).then(answer);
export async function bytes(path, body) {
  const response = await fetch(path, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return response.ok ? response.arrayBuffer() : answer(response);
}
export const send = (path, file) => fetch(path, { method: "PUT", body: file }).then(answer);
export const upload = (file) => send(`/api/file/${encodeURIComponent(file.name)}`, file);
export function follow(tell) {
  const source = new EventSource("/api/events");
  source.onmessage = (event) => {
    const state = JSON.parse(event.data);
    tell(state);
    if (!state.training?.running) source.close();
  };
  return () => source.close();
}
