"""The notation of a column: kept with the schema, later text is read by it, cells are written in it."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError
from laten.data.columns.cells import Cells
from laten.data.columns.encode import read as cells_read
from laten.data.files.write import write
from laten.data.rows.tables import decode, encode, fill, hidden_cells
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema
from laten.data.text.notation import assumed
from laten.data.text.written import write_as

N = 60
RNG = np.random.default_rng(0)
TEXT = {
    "when": [f"{1 + i % 28:02d}.{1 + i % 12:02d}.20{10 + i % 9}" for i in range(N)],
    "price": [f"{v:,.2f} €".replace(",", "t").replace(".", ",").replace("t", ".") for v in RNG.gamma(2, 4000, N)],
    "share": [f"{v}%" for v in RNG.integers(1, 99, N)],
    "ok": RNG.choice(["YES", "NO"], N).tolist(),
    "code": [f"{v:05d}" for v in RNG.integers(0, 9, N)],
    "took": [f"{v}h {v * 7 % 60}m" for v in RNG.integers(1, 30, N)],
    "six": [f"{v:.6f}" for v in RNG.normal(0, 1, N)],
    "area": RNG.choice(['"NA"', "EU", "AS"], N).tolist(),
}
LOOKS = {
    "when": r"\d\d\.\d\d\.\d{4}", "price": r"(\d{1,3}\.)*\d{1,3},\d\d €", "share": r"\d+%", "ok": "YES|NO",
    "code": r"0000\d", "took": r"\d+h \d+m", "six": r"-?\d\.\d{6}", "area": "NA|EU|AS",
}  # fmt: skip
DAYS = pd.date_range("2024-01-01", periods=100)


def written(columns=TEXT, rows=N):
    rows = ["\t".join(columns), *("\t".join(c[i] for c in columns.values()) for i in range(rows))]
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    path = tmp_path_factory.mktemp("n") / "t.tsv"
    path.write_text(written())
    return lt.read(path)


@pytest.fixture(scope="module")
def schema(frame):
    return infer_schema(frame).binned()


@pytest.fixture
def table(tmp_path):
    def make(text, name="t.csv", **options):
        (tmp_path / name).write_text(text)
        return lt.read(tmp_path / name, **options)

    return make


def test_a_schema_keeps_the_notations(frame, schema):
    record = assumed(frame)
    assert {c.name: c.notation for c in schema.columns} == record.columns
    kept = json.loads(json.dumps(schema.to_json()))
    assert Schema.from_json(kept) == schema
    for column in kept["columns"]:
        del column["notation"]  # as files of before have none
    assert all(c.notation is None for c in Schema.from_json(kept).columns)


def test_a_changed_column_has_no_notation_any_more(frame):
    found = infer_schema(frame.assign(six=frame["six"] / 3, share=frame["share"] * 2, code=frame["code"].astype(int)))
    assert found["six"].notation is None and found["code"].notation is None and found["share"].notation is not None


def drawn(schema, rows=40):
    """Random values of all nodes, as cells."""
    rng, values = np.random.default_rng(1), {}
    for block in schema.blocks:
        sizes = [2 if block.family_kind == "binary" else k for k in block.sizes]
        values[block.node] = np.stack([rng.integers(0, k, rows) for k in sizes], axis=1)
    return decode(schema, values, rng=rng)


def test_what_is_drawn_looks_like_the_file(schema):
    sample = drawn(schema)
    for column in schema.columns:
        texts = write_as(sample[column.name], column.notation)
        assert all(re.fullmatch(LOOKS[column.name], t) for t in texts), (column.name, texts[:3])


def test_six_decimals_stay_six(schema):
    six = drawn(schema)["six"]
    assert (six == six.round(6)).all() and (six != six.round(5)).any()


LATER = {
    "when": ("1.3.2013", pd.Timestamp(2013, 3, 1)),  # where the month could be first
    "price": ("1.234 €", 1234.0),
    "share": ("1.5%", 1.5),
    "ok": ("yes", "YES"),
    "code": ("00001", "00001"),
    "took": ("PT3H", pd.Timedelta(hours=3)),
    "six": ("7", 7.0),
    "area": ("NA", "NA"),
}


@pytest.mark.parametrize("name", LATER)
def test_a_later_batch_is_read_by_the_schema(table, schema, name):
    text, value = LATER[name]
    for like in (schema, type("Fitted", (), {"schema_": schema})()):
        assert table(f"{name}\n{text}\n", "b.tsv", like=like)[name].tolist() == [value]


def test_what_goes_against_the_notation_is_refused(table, schema):
    for text, words in (
        ("12.5 $", "expected numbers"),
        ("1,234.5 €", "line 2, column 'price': expected numbers, as in"),
    ):
        with pytest.raises(DataError, match=re.escape(words)):
            table(f"price\n{text}\n", "b.tsv", like=schema)
    assert table("price\n1,234.5 €\n", "b.tsv", like=schema, decimal=".")["price"][0] == 1234.5  # an option goes before
    frame = table("price\tsix\nunknown\t-\n1,0 €\t2\n", "b.tsv", like=schema)
    assert frame.isna().sum().tolist() == [1, 1] and "'unknown' in 'price' is missing" in assumed(frame).line()
    with pytest.raises(DataError, match=r"like=3 is not possible; give a fitted model"):
        table("price\n1\n", "b.tsv", like=3)


def test_codes_that_were_told_are_kept(table):
    frame = table("a,b\n" + "".join(f"{i}.5,{i % 7}\n" for i in range(40)) + "-999,\n", missing={"a": "-999"})
    later = table("a,b\n-999,3\n", "b.csv", like=infer_schema(frame))
    assert later["a"].isna().all()


def test_names_of_a_later_file_are_known(table):
    """A batch whose first row could be data, or whose cells have blanks where the names have none."""
    schema = infer_schema(pd.DataFrame({7: RNG.integers(0, 5, 40), "city": RNG.choice(["New York", "Rio"], 40)}))
    frame = table("7,city\n7,Rio\n", like=schema)
    assert frame.columns.tolist() == [7, "city"] and len(frame) == 1
    assert table("city\nNew York\nNew York\nNew York\n", like=schema)["city"].tolist() == ["New York"] * 3


def test_of_a_column_that_was_no_text_the_kind_is_known(table):
    schema = infer_schema(
        pd.DataFrame({"created_at": range(1_571_968_441, 1_571_968_541), "n": 7 * RNG.integers(0, 9, 100), "day": DAYS})
    )
    frame = table('created_at;n;x;day\n1617055825;007;1,5;03/04/2024\n"1.617.055.826";8;2,5;30/04/2024\n', like=schema)
    assert frame["created_at"].tolist() == [1_617_055_825, 1_617_055_826] and frame["n"].tolist() == [7, 8]
    assert frame["day"][0] == pd.Timestamp(2024, 4, 3)


# labels that look like codes for missing

QUOTED = {
    'a,b\n"NA",1\nEU,2\nNA,3\n,4\n': ["NA", "EU", None, None],  # quotes only where they say something
    'a,b\n"NA","x"\n"EU","y"\nNA,"z"\n,"w"\n': ["NA", "EU", None, None],  # all text is quoted, what is missing is not
    '"a","b"\n"NA","x"\n"EU","y"\n"AS","z"\n': [None, "EU", "AS"],  # quotes say nothing
}


@pytest.mark.parametrize("text", QUOTED)
def test_quotes_tell_labels_from_codes(table, text):
    frame = table(text)
    assert frame["a"].astype(object).where(frame["a"].notna(), None).tolist() == QUOTED[text]


def test_quoted_codes_among_numbers_are_missing(table):
    frame = table("x,y\n" + "".join(f"{i}.5,{i}\n" for i in range(30)) + '"NA",3\n')
    assert frame["x"].isna().sum() == 1 and frame["x"].dtype == np.float64


def test_labels_survive_writing(table, tmp_path):
    frame = pd.DataFrame({"a": ["NA", " x", "#1", None, "a;b", 'q"q', "null"], "n": [1.5, None, 3, 4, 5, 6, 7]})
    write(frame, tmp_path / "w.csv")
    again = lt.read(tmp_path / "w.csv")["a"]
    assert again.fillna("lost").tolist() == frame["a"].fillna("lost").tolist()
    assert (tmp_path / "w.csv").read_text().splitlines()[1] == '"NA",1.5'


# frames of text in Python


def texts(**columns):
    return pd.DataFrame({**{n: c[:4] for n, c in TEXT.items()}, "area": ["NA", "EU", "AS", "EU"], **columns})


@pytest.mark.parametrize("dtype", [object, "str"])
def test_a_frame_of_strings_is_read_by_the_notations(frame, schema, dtype):
    data = texts(area=frame["area"].tolist()[:4]).astype(dtype)
    rows, same = encode(schema, data), encode(schema, frame.iloc[:4])
    for node in same.values:
        np.testing.assert_array_equal(rows.values[node], same.values[node])


@pytest.mark.parametrize("dtype", [object, "str"])
def test_a_frame_of_strings_is_filled_with_such(schema, dtype):
    data = texts(price=[None, "1.000,00 €", "2.000,00 €", None], when=["01.03.2013", None, None, "02.03.2013"]).astype(
        dtype
    )
    made = decode(schema, encode(schema, data).values, like=data)
    filled = fill(data, made, hidden_cells(schema, data))
    assert filled.dtypes.tolist() == data.dtypes.tolist()
    assert all(re.fullmatch(LOOKS[n], t) for n in data for t in filled[n])
    assert filled["price"].tolist()[1:3] == ["1.000,00 €", "2.000,00 €"]


def test_strings_that_are_not_written_so_are_named(schema):
    with pytest.raises(DataError, match=r"row 2, column 'price': expected numbers, as in earlier rows, got 'cheap'"):
        encode(schema, texts(price=["1 €", "2 €", "cheap", None]))
    with pytest.raises(DataError, match=r"column 'six': row 0 hold"):
        encode(schema, texts(six=[" ", "1", "2", "3"]))


def test_a_kind_that_a_few_cells_do_not_allow_names_these():
    days = pd.Series([f"2024-01-{1 + i % 28:02d}" for i in range(50)], dtype=object)
    days[[7, 30]] = ["31 foo", "soon"]
    with pytest.raises(DataError, match=r"rows 7, 30, column 'when': expected dates, got the text '31 foo', 's"):
        infer_schema(pd.DataFrame({"when": days, "x": RNG.normal(size=50)}), kinds={"when": "date"})


def test_a_check_reads_strings_and_clocks_as_the_model_does(schema):
    assert not schema.check(texts()).broken
    (found,) = schema.check(texts(price=["1 €", "2 €", "cheap", None])).broken
    assert found.what == "type" and "row 2" in found.detail
    naive = infer_schema(pd.DataFrame({"when": CLOCK.repeat(9), "x": range(27)}))
    (found,) = naive.check(pd.DataFrame({"when": CLOCK.tz_localize("UTC"), "x": range(3)})).broken
    assert "has no time zone" in found.detail


# times with and without a zone

ZONE = "America/New_York"
CLOCK = pd.to_datetime(["2024-07-02 06:00", "2024-07-02 23:30", "2024-11-03 12:00"]).as_unit("us")


def column(cells):
    return infer_schema(pd.DataFrame({"when": cells, "x": range(len(cells))}))["when"]


def days(fitted, cells):
    return cells_read(fitted, Cells("when", pd.Series(cells)))[0]


def test_times_without_a_zone_are_by_the_columns_clock():
    fitted = column(pd.Series(CLOCK.tz_localize(ZONE)).repeat(3))
    right = days(fitted, CLOCK.tz_localize(ZONE))
    same = {
        "naive": CLOCK, "text": CLOCK.strftime("%Y-%m-%d %H:%M:%S"), "Python": [t.to_pydatetime() for t in CLOCK],
        "UTC": CLOCK.tz_localize(ZONE).tz_convert("UTC"), "offsets": CLOCK.tz_localize(ZONE).map(str),
        "Arrow": pd.Series(CLOCK).astype("timestamp[us][pyarrow]"),
    }  # fmt: skip
    for name, cells in same.items():
        series = pd.Series(list(cells), dtype=object) if name == "Python" else cells
        np.testing.assert_array_equal(days(fitted, series), right, err_msg=name)


def test_whole_days_are_days_of_the_columns_zone():
    midnight = CLOCK.normalize().tz_localize(ZONE)
    fitted = column(pd.Series(midnight).repeat(3))
    np.testing.assert_array_equal(days(fitted, midnight.tz_convert("UTC")), days(fitted, midnight))
    np.testing.assert_array_equal(days(fitted, CLOCK.normalize()), days(fitted, midnight))


@pytest.mark.parametrize("cells", [CLOCK, CLOCK.normalize(), CLOCK.strftime("%Y-%m-%d %H:%M:%S")])
def test_times_with_a_zone_of_a_column_without_are_refused(cells):
    fitted = column(pd.Series(cells).repeat(3))
    with pytest.raises(
        DataError, match=r"column 'when' has no time zone, but 2024-07-02 06:00:00-04:00 \(rows 0, 1, 2\)"
    ):
        days(fitted, CLOCK.tz_localize(ZONE))


def test_filled_times_are_by_the_clock_of_the_rows(schema):
    frame = pd.DataFrame({"when": pd.Series(CLOCK.tz_localize(ZONE)).repeat(20).reset_index(drop=True), "x": range(60)})
    zoned = infer_schema(frame).binned()
    rows = frame.assign(when=frame["when"].dt.tz_localize(None))
    made = decode(zoned, encode(zoned, frame).values, like=rows)["when"]
    assert made.dt.tz is None and (abs(made - rows["when"]) < pd.Timedelta(hours=2)).all()


# categories


@pytest.mark.parametrize("ordered", [False, True])
def test_a_category_that_the_rows_lack_is_added_where_it_is_the_answer(ordered):
    sizes = pd.CategoricalDtype(["S", "M", "L"], ordered=ordered)
    frame = pd.DataFrame({"size": pd.Series(["S", "M", "L"] * 20, dtype=sizes), "x": RNG.normal(size=60)})
    fitted = infer_schema(frame)
    few = pd.CategoricalDtype(["S", "L"], ordered=ordered)
    for answer, names in (("M", ["S", "M", "L"]), ("L", ["S", "L"])):
        rows = pd.DataFrame({"size": pd.Series(["S", None], dtype=few), "x": [0.5, 1.5]})
        found = encode(fitted, frame[frame["size"] == answer].head(2))
        filled = fill(rows, decode(fitted, found.values, like=rows), hidden_cells(fitted, rows))["size"]
        assert filled.tolist() == ["S", answer] and filled.cat.categories.tolist() == names
        assert filled.cat.ordered is ordered
