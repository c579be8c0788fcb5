"""The questions of the server: what a body says of each, and the answer by the model's own methods.

A function takes a model, the rows, and the body; it returns name -> list of objects, arrays, or an Arrow table.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from laten.data.columns.column import CLASSES
from laten.data.messages import unknown
from laten.data.rows.between import missing
from laten.data.rows.evidence_text import named
from laten.data.rows.views import TableView
from laten.estimator.plain_vae import PlainVAE
from laten.inference.diagnostics import UNRELIABLE
from laten.server.bodies import Data, check_cell
from laten.server.safety import Refused

COPIES = (1, 10, 100)  # numbers of copies that have a program; the first ones of more are returned
Cell = {"type": ["string", "number", "boolean", "null"]}
ROW = {"oneOf": [{"type": "object", "additionalProperties": True, "minProperties": 1}, {"type": "array"}]}
ROWS_SCHEMA = {
    "type": "array", "minItems": 1, "items": ROW, "examples": [[{"age": 40, "sex": "female", "crp": None}]],
    "description": "Rows: objects, column -> value; null is an empty cell. For a model of arrays: "
    "objects, node -> nested lists; of one array or a matrix also the lists themselves.",
}  # fmt: skip
GIVEN_SCHEMA = {
    "type": "object",
    "additionalProperties": {"anyOf": [Cell, {"type": "array", "items": Cell, "minItems": 1}]},
    "examples": [{"age": "30..40", "sex": ["female", "male"]}],
    "description": "What is known of columns, for all rows: a value; text such as `30..40`, `>30`, of dates `2013`; a "
    "list of values any of which it may be; null: it has no value. In a query: `given=age=30..40`, repeatable.",
}
Rows = Annotated[list[Any], Field(json_schema_extra=ROWS_SCHEMA)]
Given = Annotated[dict[str, Any], Field(json_schema_extra=GIVEN_SCHEMA)]
Seed = Annotated[int | None, Field(ge=0, lt=2**31, description="Another seed gives other random numbers.")]
Copies = Annotated[int, Field(ge=0, le=COPIES[-1], description="How many times hidden cells are drawn; 0: not.")]
Coverage = Annotated[float, Field(gt=0, lt=1, description="Probability inside the interval.")]
Statistic = Annotated[
    Literal["auto", "mean", "median", "mode"], Field(description="The point that stands for a distribution.")
]


class Body(BaseModel):
    """What every question about rows takes."""

    model_config = ConfigDict(extra="forbid")
    rows: Rows


class Impute(Body):
    """How cells are filled."""

    statistic: Statistic = "auto"
    samples: Copies = 0
    seed: Seed = None


class Predict(Body):
    """What is predicted."""

    column: Annotated[str, Field(examples=["crp"], description="The column to predict from all others.")]
    given: Given = {}
    statistic: Statistic = "auto"
    coverage: Coverage = 0.9


class Conditional(Body):
    """What is asked given the rest."""

    targets: Annotated[list[str], Field(min_length=1, examples=[["crp"]], description="Columns that are asked for.")]
    given: Given = {}
    samples: Copies = 0
    seed: Seed = None


class Sample(BaseModel):
    """What is drawn."""

    model_config = ConfigDict(extra="forbid")
    n: Annotated[int, Field(ge=1, description="How many rows.")] = 10
    given: Given = {}
    holes: Annotated[bool, Field(description="Leave cells empty as often, and together, as in the fitted data.")] = (
        False
    )
    seed: Seed = None


def score(vae: PlainVAE, data: Data, body: Any) -> dict[str, Any]:
    """Estimate log p of each row."""
    found = vae.log_likelihood(data.data, vae.draws)
    k = found.pareto_k
    return {"log_p": found.per_row, "error": found.errors, "trusted": bool(np.isnan(k) or k <= UNRELIABLE)}


def surprise(vae: PlainVAE, data: Data, body: Any) -> dict[str, Any]:
    """Say what each column costs."""
    found = vae.surprise(data.data)
    if isinstance(found, dict):
        found = [{n: x[i] for n, x in found.items()} for i in range(data.rows)]
    return {"surprise": found}


def impute(vae: PlainVAE, data: Data, body: Impute) -> dict[str, Any]:
    """Fill empty cells."""
    if not body.samples:
        return {"rows": by_row(vae.impute(data.data, statistic=body.statistic), vae)}
    copies = vae.impute(data.data, samples=copied(body.samples), seed=body.seed)
    return {"copies": [by_row(copy, vae) for copy in copies[: body.samples]]}


def predict(vae: PlainVAE, data: Data, body: Predict) -> dict[str, Any]:
    """Predict a column, with its probabilities or its interval."""
    view = table_of(vae, "predict")
    name, given = column_of(view, body.column), given_of(view, body.given)
    column = view.column(name)
    points = vae.predict(data.data, name, statistic=body.statistic, given=given)
    found: dict[str, Any] = {"value": points}
    if column.kind in CLASSES:
        found["probabilities"] = vae.predict_proba(data.data, name, given=given)
        if not isinstance(data.data, pa.Table):
            found["probabilities"] = [{str(level): p for level, p in row.items()} for row in found["probabilities"]]
    if column.kind not in ("binary", "categorical"):
        found["interval"] = vae.predict_interval(data.data, name, body.coverage, given=given)
    if isinstance(data.data, pa.Table):
        columns = {"value": points}
        for part, head in (("probabilities", "p({})"), ("interval", "{}")):
            if part in found:
                columns |= {head.format(n): found[part].column(n) for n in found[part].column_names}
        return {"predicted": pa.table(columns)}
    return {"predicted": [{k: x[i] for k, x in found.items()} for i in range(data.rows)]}


def conditional(vae: PlainVAE, data: Data, body: Conditional) -> dict[str, Any]:
    """Return p(targets | the rest) of each row, and samples."""
    view = table_of(vae, "conditional")
    targets = [column_of(view, name) for name in body.targets]
    copies = copied(body.samples) if body.samples else 0
    found = vae.conditional(data.data, targets, given_of(view, body.given), samples=copies, seed=body.seed)
    numbers = {"log_density": found.log_density, "effective_sample_size": found.effective_sample_size}
    return {**numbers, "samples": found.samples[: body.samples]} if body.samples else numbers


def sample(vae: PlainVAE, data: Data, body: Sample) -> dict[str, Any]:
    """Draw rows."""
    if body.given:
        given: Any = given_of(table_of(vae, "sample with `given`"), body.given)
    else:
        given = None
    return {"rows": by_row(vae.sample(body.n, given, holes=body.holes, seed=body.seed), vae)}


def embed(vae: PlainVAE, data: Data, body: Any) -> dict[str, Any]:
    """Return latent means."""
    found = vae.transform(data.data)
    if isinstance(found, np.ndarray):
        names = vae.get_feature_names_out()
        found = [dict(zip(names, row, strict=True)) for row in found.tolist()]
    return {"latents": found}


class Question(NamedTuple):
    """A question, and how it is documented."""

    answer: Callable[[PlainVAE, Data, Any], dict[str, Any]]
    body: type[BaseModel]
    summary: str
    parts: Mapping[str, str]  # of the answer


QUESTIONS = {
    "score": Question(score, Body, "log p of each row, in nats", {
        "log_p": "nats, of the observed cells", "error": "standard error of each",
        "trusted": "false: some are too low",
    }),
    "surprise": Question(surprise, Body, "what each column and the latents cost, in nats", {"surprise": "by row"}),
    "impute": Question(impute, Impute, "fill empty cells", {"rows": "filled", "copies": "with `samples`: each filled"}),
    "predict": Question(predict, Predict, "a column's distribution given the others", {
        "predicted": "by row: value, and probabilities of classes or interval of numbers",
    }),
    "conditional": Question(conditional, Conditional, "log p(targets | the rest) and samples of them", {
        "log_density": "nats, of the targets' own values", "effective_sample_size": "of the draws", "samples": "copies",
    }),
    "sample": Question(sample, Sample, "draw new rows", {"rows": "drawn"}),
    "embed": Question(embed, Body, "latent means of each row", {"latents": "by row"}),
}  # fmt: skip


def body_from(kind: type[BaseModel], found: dict[str, Any]) -> Any:
    """Check what a request says.

    Raises:
        Refused: 422 in a sentence.
    """
    try:
        return kind.model_validate(found, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        names = ", ".join(kind.model_fields)
        raise Refused(422, f"{where}: {first['msg'].lower()}; this question takes {names}") from None


def table_of(vae: PlainVAE, what: str) -> TableView:
    """Return the view, which must be of a table."""
    if not isinstance(vae.view_, TableView):
        raise Refused(422, f"{what} asks about columns of a table; this model is of arrays")
    return vae.view_


def column_of(view: TableView, text: str) -> Any:
    """Return a column's name by its text.

    Raises:
        DataError: no such column, or one that is not modelled.
    """
    name = next((n for n in view.schema.names if str(n) == text), text)
    view.column(name)
    return name


def given_of(view: TableView, given: Mapping[str, Any]) -> dict[Any, Any]:
    """Return evidence as the model takes it; null says that there is no value."""
    found = {}
    for text, value in given.items():
        for cell in value if isinstance(value, list) else [value]:
            check_cell(cell, f"given, {text!r}")
        if value == []:
            raise Refused(422, f"given, {text!r}: the list of values is empty; name one, or leave the column out")
        found[column_of(view, text)] = missing if value is None else value
    return found


def typed_given(vae: PlainVAE, texts: list[str]) -> dict[str, Any]:
    """Return evidence of a query, `COLUMN=VALUE` each; a column named twice may have any of its values.

    Raises:
        DataError: no such column.
    """
    view = table_of(vae, "given")
    found: dict[str, Any] = {}
    for text in texts:
        parted = named(text, view.schema.names)
        if parted is None:
            raise unknown("column", text.partition("=")[0], view.schema.names)
        name, value = str(parted[0]), parted[1]
        found[name] = value if name not in found else [*listed(found[name]), value]
    return found


def listed(value: Any) -> list[Any]:
    """Return a value as a list."""
    return value if isinstance(value, list) else [value]


def copied(samples: int) -> int:
    """Return the number of copies that is drawn when so many are wanted: few programs are enough."""
    return next(n for n in COPIES if n >= samples)


def by_row(found: Any, vae: PlainVAE) -> Any:
    """Return rows as JSON has them: of arrays an object each, node -> nested lists; tables as they are."""
    if isinstance(vae.view_, TableView):
        return found
    arrays = found if isinstance(found, dict) else {vae.view_.nodes[0]: found}
    return [{n: x[i] for n, x in arrays.items()} for i in range(len(next(iter(arrays.values()))))]
