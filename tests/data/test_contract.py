"""Contracts: a schema written as TOML, edited, and imposed on frames that keep it or do not."""

import datetime
import tomllib

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError
from laten.data.schema import toml
from laten.data.schema.contract import as_number, as_plain
from laten.data.schema.enforce import open_contract, read_contract, read_schema
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema

N = 200
ODD_NAMES = (
    'he "said"',
    "a.b",
    "[x]",
    "# no",
    "two\nlines",
    "",
    " ",
    "tab\t\x7f",
    "日本語",
    "a = 1",
    "\\",
    "columns",
    7,
)


def good():
    rng = np.random.default_rng(0)

    def some(values):
        return [values[i] for i in rng.integers(0, len(values), N)]

    frame = pd.DataFrame({
        "age": rng.integers(17, 90, N), "size": some(["S", "M", "L"]), "sex": some(["f", "m"]),
        "grade": some([1, 2, 3, 4]), "dose": some([0.5, 1.0, 2.0]), "fare": rng.lognormal(3, 1, N),
        "height": rng.normal(170, 9, N), "when": pd.date_range("2020", periods=N), "flag": some([True, False]),
        "wait": pd.to_timedelta(rng.exponential(900, N).round(), unit="s"), "id": np.arange(N), "same": 1,
        "note": [f"the patient {i} came late in the day and went home again" for i in range(N)],
        "kind": pd.Categorical(some(["x", "y", "z"]), ["z", "y", "x", "unused"]),
        "rank": pd.Categorical(some(["lo", "hi"]), ["lo", "mid", "hi"], ordered=True),
    })  # fmt: skip
    frame.loc[[3, 9], "fare"] = np.nan
    frame.loc[4, "size"] = "XS"
    return frame


FRAME = good()
SCHEMA = infer_schema(FRAME)


def test_a_schema_comes_back_from_its_text():
    text = SCHEMA.to_toml()
    assert read_schema(text, FRAME) == SCHEMA
    parsed = tomllib.loads(text)
    assert list(parsed["columns"]) == list(FRAME.columns) and parsed["extra"] == "ignore"
    assert parsed["columns"]["grade"] == {"kind": "ordinal", "levels": [1, 2, 3, 4], "missing": 0.0}
    assert parsed["columns"]["fare"]["missing"] == 0.01
    assert parsed["columns"]["when"]["range"] == [datetime.date(2020, 1, 1), datetime.date(2020, 7, 18)]
    for column in SCHEMA.columns:
        assert f"# {column.reason}" in text


def test_an_edited_schema_comes_back_from_its_text():
    edited = (
        SCHEMA.with_kind("size", "ordinal", ["XS", "S", "M", "L"])
        .with_kinds(age="positive", id="real", grade="categorical", note="identifier")
        .with_unseen("kind", "other")
        .with_unseen("grade", "other")
    )
    assert read_schema(edited.to_toml(), FRAME) == edited
    assert read_schema(edited.to_toml(), FRAME) != SCHEMA
    strict = Schema(edited.columns, (), "error")
    assert read_schema(strict.to_toml(), FRAME) == strict != edited


def test_declared_nodes_come_back():
    schema = infer_schema(FRAME, nodes={"y": "sex", "x": ["fare", "height"]})
    assert read_schema(schema.to_toml(), FRAME) == schema
    assert "[nodes]" not in SCHEMA.to_toml()


def test_column_names_of_any_characters():
    frame = pd.DataFrame({name: np.random.default_rng(i).normal(size=20) for i, name in enumerate(ODD_NAMES)})
    schema = infer_schema(frame)
    assert read_schema(schema.to_toml(), frame) == schema
    assert list(tomllib.loads(schema.to_toml())["columns"]) == [str(n) for n in ODD_NAMES]
    two = infer_schema(pd.DataFrame({1: [1.5, 2.5, 4], "1": [1.5, 2.5, 4]}))
    with pytest.raises(DataError, match="both written '1'"):
        two.to_toml()
    half = infer_schema(pd.DataFrame([[1.5], [2.5], [4]], columns=pd.Index(["\ud800"], dtype=object)))
    with pytest.raises(DataError, match="half a character"):
        half.to_toml()


@pytest.mark.parametrize("text", ["plain", 'a "b" \\ c', "\t\n\r\x00\x1f\x7f\x85", "ünï 😀", "'''", '"""'])
def test_texts_survive_toml(text):
    assert tomllib.loads(f"{toml.key(text)} = {toml.value([text])}") == {text: [text]}
    assert tomllib.loads(f"x = 1  # {toml.comment(text)}") == {"x": 1}


def test_long_lists_are_wrapped_and_very_long_ones_left_to_the_data():
    levels = [f"level {i:03d}" for i in range(150)]
    frame = pd.DataFrame({"x": levels * 20, "y": range(3000)})
    text = infer_schema(frame).to_toml()
    assert max(map(len, text.splitlines())) <= toml.WIDTH and tomllib.loads(text)["columns"]["x"]["levels"] == levels
    many = pd.DataFrame({"x": pd.Categorical([f"level {i:03d}" for i in range(250)] * 2)})
    text = infer_schema(many).to_toml()
    assert "levels" not in tomllib.loads(text)["columns"]["x"] and "# 250 levels" in text
    assert read_schema(text, many) == infer_schema(many)


@pytest.mark.parametrize(
    ("kind", "x"),
    [("date", 18262.0), ("duration", 93_784.5), ("real", 0.125), ("count", 12.0), ("real", -1e300), ("duration", 1e15)],
)
def test_ends_of_ranges_as_people_write_them(kind, x):
    assert as_number(kind, tomllib.loads(f"v = {toml.value(as_plain(kind, x))}")["v"]) == x


def test_lines_of_keys():
    found = toml.lines_of('# no\na = 1\n\n[t."x y"]  # z\nb = [\n  "c",\n]\nd = 2\n')
    tables = {("t",): 4, ("t", "x y"): 4}
    assert found == {("a",): 2, **tables, ("t", "x y", "b"): 5, ("t", "x y", "d"): 8}


# what follows [columns.size] (line 2) in a file of one column -> words of the error
FILES = [
    ("[columns.size]\nkund = 'text'", ["line 2", "unknown key 'kund'", "did you mean 'kind'"]),
    ("[columns.size]\nkind = 'categorial'", ["line 2", "'size'", "no kind 'categorial'", "did you mean 'categorical'"]),
    ("[columns.size]\nkind = 7", ["line 2", "no kind 7"]),
    ("[columns.size]\nlevels = ['S', 'M']", ["line 1", "'size'", "its kind is missing"]),
    ("[columns.size]\nkind = 'real'\nlevels = [1, 2]", ["line 3", "levels belong to", "leave them out"]),
    ("[columns.size]\nkind = 'categorical'\nlevels = 'S'", ["line 3", "list of texts"]),
    ("[columns.size]\nkind = 'categorical'\nlevels = [[1], 2]", ["line 3", "list of texts"]),
    ("[columns.size]\nkind = 'categorical'\nlevels = ['S', 'S']", ["line 3", "'S' stands in the list twice"]),
    ("[columns.size]\nkind = 'categorical'\nlevels = ['S']", ["line 3", "at least 2 levels"]),
    ("[columns.size]\nkind = 'binary'\nlevels = ['S', 'M', 'L']", ["line 3", "binary needs 2 levels"]),
    ("[columns.size]\nkind = 'categorical'\nunseen = 'oter'", ["line 3", "unseen must be", "'oter'"]),
    ("[columns.size]\nkind = 'ordinal'\nunseen = 'other'", ["line 3", "for categorical columns", "not ordinal"]),
    ("[columns.age]\nkind = 'count'\nrange = [2, 1]", ["line 3", "low and high", "[0, 100]"]),
    ("[columns.when]\nkind = 'date'\nrange = [1, 2]", ["line 3", "[2020-01-01, 2020-12-31]"]),
    ("[columns.age]\nkind = 'count'\nmissing = 2", ["line 3", "share from 0 to 1"]),
    ("extra = 'ignor'\n[columns.age]\nkind = 'count'", ["line 1", "extra must be one of"]),
    ("[column.age]\nkind = 'count'", ["line 1", "unknown key 'column'", "did you mean 'columns'"]),
    ("[columns]\nage = 'count'", ["line 2", "'age'", "must be a table", "[columns.age]"]),
    ("\n", ["names no columns"]),
    ("nodes = 1\n[columns.age]\nkind = 'count'", ["line 1", "nodes must be a table"]),
    ("[nodes]\nx = 1\n[columns.age]\nkind = 'count'", ["line 2", "'x'", "must name a column"]),
    ("[nodes]\nx = ['aeg']\n[columns.age]\nkind = 'count'", ["line 2", "no column 'aeg'", "did you mean 'age'"]),
    ("x = " + "[" * 5000, ["nested too deeply"]),
    ("[columns.age]\nkind = \n", ["no TOML", "line 2"]),
    ("[columns.age]\nkind = 'count'\n[columns.age]\nkind = 'real'", ["no TOML", "'age'", "twice", "line 3"]),
    # frames that do not keep it
    ("[columns.aeg]\nkind = 'count'\n", ["line 1", "lacks the column ['aeg']", "did you mean 'age'"]),
    ("extra = 'error'\n[columns.age]\nkind = 'count'\n", ["does not name", "'size'", "extra = 'ignore'"]),
    ("[columns.size]\nkind = 'count'\n", ["line 1", "'size'", "holds text", "to_numeric"]),
    ("[columns.age]\nkind = 'date'\n", ["'age'", "holds numbers", "'date' does not fit"]),
    ("[columns.when]\nkind = 'real'\n", ["'when'", "holds dates", "use kind 'date'"]),
    ("[columns.wait]\nkind = 'real'\n", ["'wait'", "holds durations", "use kind 'duration'"]),
    ("[columns.size]\nkind = 'duration'\n", ["'size'", "pd.to_timedelta"]),
    ("[columns.height]\nkind = 'count'\n", ["'height'", "fractions"]),
    ("[columns.age]\nkind = 'constant'\n", ["'age' is not constant"]),
    ("[columns.size]\nkind = 'ordinal'\n", ["'size'", "order of its levels", 'levels = ["L", "M", "S"']),
    ("[columns.size]\nkind = 'categorical'\nlevels = ['S', 'M', 'L']", ["'XS' (row 4)", "add it to levels"]),
    ("[columns.grade]\nkind = 'ordinal'\nlevels = ['1', '2', '3', '4']", ["1 (rows ", "is a number", "as text"]),
    ("[columns.same]\nkind = 'categorical'\n", ["'same' has one value only"]),
    ("[nodes]\nx = ['age', 'sex']\n[columns.age]\nkind = 'count'\n[columns.sex]\nkind = 'binary'", ["of one kind"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), FILES, ids=[" ".join(words)[:50] for _, words in FILES])
def test_files_and_frames_that_are_refused(text, words, tmp_path):
    path = tmp_path / "schema.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError) as error:
        read_schema(path, FRAME)
    said = str(error.value)
    assert [w for w in words if w not in said] == [], said
    assert "\n" not in said and ("schema.toml" in said or "of one kind" in said)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(DataError, match=r"no such file; `laten schema DATA -o .*toml` proposes one"):
        open_contract(tmp_path / "none.toml")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="byte 0 is not UTF-8"):
        open_contract(str(tmp_path / "a.toml"))
    with pytest.raises(DataError, match="cannot be read"):
        open_contract(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"\xef\xbb\xbf[columns.age]\r\nkind = 'count'\r\n")
    assert open_contract(tmp_path / "b.toml").clauses[0].kind == "count"


def test_a_contract_decides_kinds_and_columns():
    text = "[columns.age]\nkind = 'real'\n[columns.sex]\nkind = 'categorical'\nlevels = ['m', 'f', 'x']\n"
    schema = lt.read_schema(text, FRAME)
    assert schema.names == ("age", "sex") and schema["age"].kind == "real"
    assert schema["sex"].levels == ("m", "f", "x")
    assert schema["age"].codec == SCHEMA.with_kind("age", "real")["age"].codec
    shuffled = read_schema(text, FRAME[list(FRAME.columns[::-1])])
    assert shuffled.names == ("sex", "age")


def test_editing_a_kind_needs_no_more_than_that():
    text = SCHEMA.to_toml()
    for old, new in [("count", "real"), ("count", "text"), ("positive", "real"), ("duration", "identifier")]:
        changed = text.replace(f'kind = "{old}"', f'kind = "{new}"', 1)
        assert new in [c.kind for c in read_schema(changed, FRAME).columns if c.kind != SCHEMA[c.name].kind]


def test_a_contract_is_kept_by_later_frames_of_the_same_sort():
    """Kinds stay though a small frame alone would be taken for something else."""
    few = FRAME.drop(index=4).head(12)
    alone = infer_schema(few)
    agreed = read_schema(SCHEMA.to_toml(), few)
    assert [c.kind for c in agreed.columns] == [c.kind for c in SCHEMA.columns]
    assert [c.kind for c in alone.columns] != [c.kind for c in SCHEMA.columns]
    assert all(agreed[n].levels == SCHEMA[n].levels for n in ("size", "sex", "grade", "kind", "rank", "flag"))


def test_cells_of_two_sorts_are_not_questioned_where_a_contract_says_what_they_are():
    frame = pd.DataFrame({"x": [*map(str, np.arange(50) / 7), "none"], "y": range(51)})
    with pytest.raises(DataError, match=r"'x'.*row 50"):
        infer_schema(frame)
    text = "[columns.x]\nkind = '{}'\n[columns.y]\nkind = 'count'\n"
    assert read_schema(text.format("text"), frame)["x"].kind == "text"
    with pytest.raises(DataError, match=r"line 1: column 'x': 1 of 51 cells.*row 50: 'none'"):
        read_schema(text.format("real"), frame)


def test_what_a_contract_says_of_a_schema():
    clauses = {c.name: c for c in SCHEMA.contract.clauses}
    assert (clauses["age"].low, clauses["age"].high) == (17.0, 89.0)
    assert clauses["when"].style == "datetime" and clauses["fare"].above and not clauses["age"].above
    said = {c.name: c for c in read_contract(SCHEMA.to_toml()).clauses}
    for name, clause in clauses.items():
        assert (said[name].kind, said[name].unseen) == (clause.kind, clause.unseen)
        assert said[name].low == pytest.approx(clause.low, rel=1e-5) if clause.low is not None else True
