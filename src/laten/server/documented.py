"""The documentation of the server, in OpenAPI's terms; and what is described in the same words: options, models."""

import json
from typing import Any

from starlette.datastructures import QueryParams

from laten.data.columns.column import CLASSES
from laten.data.rows.views import TableView
from laten.server.bodies import ARROW, JSON
from laten.server.models import Served
from laten.server.questions import QUESTIONS, Question, Sample
from laten.server.safety import Refused

ABOUT = (
    "Questions to models that `laten fit` wrote. Rows come as JSON or as an uncompressed Arrow stream; what is asked "
    "of them stands beside them in JSON, or in the query. null is an empty cell. A request that cannot be answered "
    "says in `error` what to do. A row's answer depends on that row alone, whoever asks at the same time."
)
ERROR = {
    "type": "object", "required": ["error"], "properties": {"error": {"type": "string"}},
}  # fmt: skip
WRONG = {
    400: "the body is no JSON or Arrow", 401: "no token", 403: "asked by a page of another site", 404: "no such model",
    405: "another method", 406: "no Arrow answer to JSON rows", 408: "the body came too slowly",
    413: "too many rows or bytes", 415: "another type of body", 422: "the model cannot answer this",
    429: "too many requests at once", 503: "not ready, or no answer in time",
}  # fmt: skip


def errors(*statuses: int) -> dict[int | str, Any]:
    """Return the refusals of a path."""
    return {s: {"description": WRONG[s], "content": {JSON: {"schema": ERROR}}} for s in statuses}


def plain(summary: str, text: bool = False, ready: bool = False) -> dict[str, Any]:
    """Document a path without parameters."""
    content = {"text/plain; version=0.0.4; charset=utf-8": {"schema": {"type": "string"}}} if text else {
        JSON: {"schema": {"type": "object"}}}  # fmt: skip
    found = {200: {"description": "so it is", "content": content}, **errors(401, 403, 405)}
    return {"summary": summary, "responses": found | (errors(503) if ready else {}), "response_model": None}


def model(summary: str) -> dict[str, Any]:
    """Document a path of a model."""
    found = {200: {"description": "the model", "content": {JSON: {"schema": {"type": "object"}}}}}
    return {"summary": summary, "responses": {**found, **errors(401, 403, 404, 405, 422, 503)}, "response_model": None}


def question(name: str, about: Question) -> dict[str, Any]:
    """Document a question."""
    schema = about.body.model_json_schema()
    rows = {} if about.body is Sample else {ARROW: {"schema": {"type": "string", "format": "binary"}}}
    body = {"required": about.body is not Sample, "content": {JSON: {"schema": schema}, **rows}}
    parts = {part: {"description": said} for part, said in about.parts.items()}
    answer: dict[str, Any] = {"type": "object", "properties": parts}
    answer["properties"]["warnings"] = {"type": "array", "items": {"type": "string"}}
    found = {
        200: {
            "description": "the answer",
            "content": {JSON: {"schema": answer}, ARROW: {"schema": {"type": "string", "format": "binary"}}},
        },
        **errors(*WRONG),
    }
    return {
        "summary": f"{about.summary[0].upper()}{about.summary[1:]}",
        "operation_id": name,
        "responses": found,
        "openapi_extra": {"requestBody": body, "parameters": parameters(schema)},
        "response_model": None,
    }


def parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the options of a question as parameters of its query, for bodies that are no JSON."""
    found = []
    for name, option in schema["properties"].items():
        if name == "rows":
            continue
        if name == "given":
            option = {"type": "array", "items": {"type": "string"}}
        how = {"name": name, "in": "query", "required": False, "schema": option}
        found.append(how | {"description": "Only beside a body that does not say it."})
    return found


def query_of(question: Question, query: QueryParams) -> dict[str, Any]:
    """Return the options that stand in a query.

    Raises:
        Refused: 400 an option that the question does not take, or that is said twice.
    """
    fields = [name for name in question.body.model_fields if name != "rows"]
    found: dict[str, Any] = {}
    for name in query:
        if name not in fields:
            takes = f"it takes {', '.join(fields)}" if fields else "it takes none"
            raise Refused(400, f"this question has no option {name!r} in its address; {takes}")
        values = query.getlist(name)
        if name not in ("given", "targets") and len(values) > 1:
            raise Refused(400, f"{name} is said twice; say it once")
        found[name] = values if name in ("given", "targets") else typed(question, name, values[0])
    return found


def typed(question: Question, name: str, text: str) -> Any:
    """Return an option of a query as JSON would have it: a number or a truth value where the option is one."""
    if question.body.model_json_schema()["properties"][name].get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def described(served: Served) -> dict[str, Any]:
    """Return what a model is: its columns (or arrays), latents, and questions."""
    vae, view = served.vae, served.vae.view_
    found: dict[str, Any] = {"name": served.name, "network": str(vae.network_)}
    if isinstance(view, TableView):
        modelled = {n for b in view.schema.blocks for n in b.names}
        found["columns"] = [
            {"name": str(c.name), "kind": c.kind, "modelled": c.name in modelled, "values": c.describe()}
            | ({"levels": [str(v) for v in c.classes]} if c.name in modelled and c.kind in CLASSES else {})
            for c in view.schema.columns
        ]
    else:
        found["arrays"] = [{"node": n, "shape": list(view.specs[n].shape)} for n in view.nodes]
    latents: Any = vae.get_feature_names_out() if vae.model_.latents else []
    return found | {"latents": [str(n) for n in latents], "questions": list(QUESTIONS)}
