"""What `read` makes of text tables as they occur: each case is a few lines, what must come, and what must be said."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.data.field_expected import EXPECTED

from laten.common.errors import DataError
from laten.data.files.read import read
from laten.data.files.write import write
from laten.data.schema.infer import infer_schema
from laten.data.text.notation import assumed
from laten.data.text.written import write_as

FIELD = Path(__file__).resolve().parents[3] / "shared" / "field" / "files"
TEXT = "age,income,city\n" + "".join(f"{20 + i % 50},{1000 + 37 * i}.{i % 10}5,{'ZMG'[i % 3]}ü\n" for i in range(60))
RIGHT = pd.DataFrame(
    {
        "age": [20 + i % 50 for i in range(60)],
        "income": [float(f"{1000 + 37 * i}.{i % 10}5") for i in range(60)],
        "city": ["ZMG"[i % 3] + "ü" for i in range(60)],
    }
)


@pytest.fixture
def table(tmp_path):
    """Read text, or bytes, as a file."""

    def make(text, name="t.csv", **options):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return read(tmp_path / name, **options)

    return make


def column(cells, name="x"):
    """A file of one odd column beside a plain one."""
    return f"{name},y\n" + "".join(f'"{c}",{i}\n' for i, c in enumerate(cells))


def said(frame):
    """What was assumed, as one line."""
    return assumed(frame).line("--").partition(": read as ")[2]


LAYOUTS = {
    "as it is": (TEXT, "utf-8 [--encoding]; ',' between cells"),
    "mark at the start": ("\ufeff" + TEXT, "utf-8"),
    "cp1252": (TEXT.encode("cp1252"), "not UTF-8: cp1252 gives 'Zü', 'Mü' [--encoding]"),
    "utf-16": (TEXT.encode("utf-16"), "utf-16"),
    "utf-16 without its mark": (TEXT.encode("utf-16-le"), "utf-16-le text without its mark"),
    "CRLF": (TEXT.replace("\n", "\r\n"), "line 1"),
    "CR": (TEXT.replace("\n", "\r"), "line 1"),
    "blank lines": ("\n\n" + TEXT.replace("Gü\n", "Gü\n\n", 1), "names in line 3"),
    "comments": ("# made by a tool\n# today\n" + TEXT, "2 comment lines on top left out"),
    "a title": ("Report,,\n,,\n" + TEXT, "2 lines above the names left out [--header]"),
    "a short title": ("Report of May\n\n" + TEXT, "1 line above the names"),
    "semicolons": (TEXT.replace(",", ";"), "';' between cells"),
    "tabs": (TEXT.replace(",", "\t"), "tabs between cells"),
    "bars": (TEXT.replace(",", "|"), "'|' between cells"),
    "blanks": (TEXT.replace(",", "  "), "blanks between cells"),
    "blank after comma": (TEXT.replace(",", ", "), "a blank after each ',' does not count"),
    "trailing comma": (TEXT.replace("\n", ",\n"), "at the end of every row does not count"),
    "trailing comma below the names": (TEXT.replace("ü\n", "ü,\n"), "at the end of every row does not count"),
    "single quotes": (TEXT.replace("Zü", "'Zü'").replace("Mü", "'Mü'").replace("Gü", "'Gü'"), "' around cells"),
    "sums below": (TEXT + f"Total,{RIGHT['income'].sum():.2f},\n", "is sums of the others and left out"),
    "comma decimals": (TEXT.replace(",", ";").replace(".", ","), "decimal mark ',' [--decimal]"),
    "currency": (TEXT.replace(",1", ",€ 1").replace(",2", ",€ 2").replace(",3", ",€ 3"), "numbers after '€'"),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts_of_one_table(table, case):
    text, words = LAYOUTS[case]
    frame = table(text)
    pd.testing.assert_frame_equal(frame, RIGHT)
    assert words in said(frame)
    assert [c.kind for c in infer_schema(frame).columns] == [c.kind for c in infer_schema(RIGHT).columns]


NUMBERS = {
    "1,234.5 | 12,000.0 | 999.5": ([1234.5, 12000, 999.5], "',' between thousands"),
    "1.234,5 | 12.000,0 | 999,5": ([1234.5, 12000, 999.5], "decimal mark ','"),
    "1 234,5 | 12 000,0 | 999,5": ([1234.5, 12000, 999.5], "' ' between thousands"),
    "1'234.5 | 12'000.0 | 999.5": ([1234.5, 12000, 999.5], '"\'" between thousands'),
    "12,34,567 | 1,23,456 | 12,345": ([1234567, 123456, 12345], "between thousands"),
    "$1,000.50 | -$3.25 | $0.10": ([1000.5, -3.25, 0.1], "'$'"),
    "12 EUR | 13.5 EUR | 0 EUR": ([12, 13.5, 0], "before 'EUR'"),
    "(1.5) | 2.5 | (30)": ([-1.5, 2.5, -30], "brackets in 'x' are negative"),
    "1.5- | 2.5 | \u22123": ([-1.5, 2.5, -3], "names in line 1"),
    "12% | 13.5% | 0.1%": ([12, 13.5, 0.1], "before '%'"),
    "1e3 | 2.5E-2 | +3": ([1000, 0.025, 3], "names in line 1"),
    "1.234 | 5.678 | 9.012": ([1.234, 5.678, 9.012], "may be decimal or between thousands; read as 1.234 [--decimal]"),
    "1,234 | 5,678 | 9,012": ([1234, 5678, 9012], "may be decimal or between thousands; read as 1234 [--decimal]"),
    ".5 | 1. | 2": ([0.5, 1, 2], "names in line 1"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_in_the_worlds_notations(table, case):
    right, words = NUMBERS[case]
    frame = table(column(case.split(" | ")))
    assert frame["x"].tolist() == right and words in said(frame)


def test_other_columns_settle_the_decimal_mark(table):
    frame = table("a;b\n1.234;1,5\n5.678;2,25\n")
    assert frame["a"].tolist() == [1234, 5678] and frame["b"].tolist() == [1.5, 2.25]
    assert table("a;b\n1.234;1.5\n5.678;2.25\n")["a"].tolist() == [1.234, 5.678]
    assert table("a;b\n1.234;x\n5.678;y\n", decimal=".")["a"].tolist() == [1.234, 5.678]
    assert table("a,b\n1.234,x\n5.678,y\n", decimal=",")["a"].tolist() == [1234, 5678]


CODES = {
    "01067 | 80331 | 04109": "leading zeros",
    "9374958416535555 | 4361524250313639 | 1": "more than 15 digits",
    "+49301234 | +49305678 | +49309999": "a plus before each",
}


@pytest.mark.parametrize("case", CODES)
def test_codes_stay_as_they_are_written(table, case):
    cells = case.split(" | ")
    frame = table(column(cells))
    assert frame["x"].tolist() == cells and f"'x' kept as text: {CODES[case]}" in said(frame)


DATES = {
    "2024-01-31 | 2024-02-01 | 2024-12-24": "line 1",
    "31/01/2024 | 01/02/2024 | 24/12/2024": "day first [--dayfirst]",
    "01/31/2024 | 02/01/2024 | 12/24/2024": "month first [--dayfirst]",
    "31.1.24 | 1.2.24 | 24.12.24": "years of two digits",
    "20240131 | 20240201 | 20241224": "dates such as 20240131",
    "Jan 31, 2024 | Feb 1, 2024 | Dec 24, 2024": "line 1",
    "31-Jan-2024 | 01-Feb-2024 | 24-Dec-2024": "line 1",
    "31 January 2024 | 1 February 2024 | 24 December 2024": "line 1",
    "Wed, 31 Jan 2024 | Thu, 1 Feb 2024 | Tue, 24 Dec 2024": "line 1",
    "31/01/2024 | 2024-02-01 | 24/12/2024": "written in 2 ways",
}


@pytest.mark.parametrize("case", DATES)
def test_dates_in_the_worlds_notations(table, case):
    frame = table(column(case.split(" | ")))
    assert frame["x"].tolist() == [pd.Timestamp(2024, 1, 31), pd.Timestamp(2024, 2, 1), pd.Timestamp(2024, 12, 24)]
    assert DATES[case] in said(frame) and infer_schema(frame)["x"].kind == "date"


TIMES = {
    "2024-01-31T13:05 | 2024-02-01T00:00": (["2024-01-31 13:05", "2024-02-01"], "line 1"),
    "1/31/2024 1:05 PM | 2/1/2024 12:00 AM": (["2024-01-31 13:05", "2024-02-01"], "month first"),
    "2024-01-31T13:05:00.250000 | 2024-02-01T00:00:00.000001": (
        ["2024-01-31 13:05:00.25", "2024-02-01 00:00:00.000001"], "line 1"),
    "2024-01-31T13:05:00Z | 2024-02-01T00:00:00Z": (["2024-01-31 13:05Z", "2024-02-01 00:00Z"], "line 1"),
    "2024-01-31T13:05+02:00 | 2024-02-01T00:00+02:00": (
        ["2024-01-31 13:05+02:00", "2024-02-01 00:00+02:00"], "line 1"),
    "2024-01-31T13:05+02:00 | 2024-02-01T00:00+01:00": (["2024-01-31 11:05Z", "2024-01-31 23:00Z"], "2 offsets"),
}  # fmt: skip


@pytest.mark.parametrize("case", TIMES)
def test_times_with_and_without_zones(table, case):
    right, words = TIMES[case]
    frame = table(column(case.split(" | ")))
    assert frame["x"].tolist() == [pd.Timestamp(t) for t in right] and words in said(frame)


def test_months_quarters_clocks_durations_epochs(table):
    assert table(column(["2024-01", "2024-12"]))["x"].astype(str).tolist() == ["2024-01", "2024-12"]
    assert table(column(["Jan 2024", "Dec 2024"]))["x"].astype(str).tolist() == ["2024-01", "2024-12"]
    assert table(column(["2024Q1", "2024Q4"]))["x"].astype(str).tolist() == ["2024Q1", "2024Q4"]
    hours = pd.Timedelta(hours=1)
    for cells in (["7h 30m", "2 hours"], ["PT7H30M", "PT2H"], ["7:30", "2:00"], ["7:30 AM", "2:00 AM"]):
        assert table(column(cells))["x"].tolist() == [7.5 * hours, 2 * hours]
    assert table(column(["26:15", "1:00"]))["x"].tolist() == [26.25 * hours, hours]
    assert table(column(["5m", "12m", "7m"]))["x"].tolist() == ["5m", "12m", "7m"]  # metres, minutes, millions
    epochs = ["1571968441", "1617055825"]
    right = [pd.Timestamp("2019-10-25 01:54:01Z"), pd.Timestamp("2021-03-29 22:10:25Z")]
    assert table(column(epochs, "created_at"))["created_at"].tolist() == right
    assert table(column(epochs, "size"))["size"].tolist() == [int(e) for e in epochs]


def test_what_only_the_option_can_settle(table):
    both = ["03/04/2024", "05/06/2024"]
    frame = table(column(both))
    assert frame["x"][0] == pd.Timestamp(2024, 3, 4) and "fit day first and month first" in said(frame)
    assert table(column(both), dayfirst=True)["x"][0] == pd.Timestamp(2024, 4, 3)
    beside = "x,y\n03/04/2024,25/12/2024\n05/06/2024,26/12/2024\n"
    assert table(beside)["x"][0] == pd.Timestamp(2024, 4, 3)  # the other column tells


@pytest.mark.parametrize("code", ["unknown", "-", ".", "None", "x", "inf", "#DIV/0!", "n/a", "?", "  "])
@pytest.mark.parametrize("share", [0.02, 0.097, 0.103, 0.4])
def test_codes_for_missing_have_no_edge(table, code, share):
    """Whatever the share of a code among numbers, it is missing there, and in text of the same file too."""
    lost = np.arange(300) < 300 * share
    cells = [code if m else str(i + 0.5) for i, m in enumerate(lost)]
    frame = table(
        "x,city\n"
        + "".join(f"{c},{code if m else 'AB'[i % 2]}\n" for i, (c, m) in enumerate(zip(cells, lost, strict=True)))
    )
    assert frame.isna().to_numpy().tolist() == np.stack([lost, lost], 1).tolist()
    assert [c.kind for c in infer_schema(frame).columns] == ["real", "binary"]


def test_words_of_text_columns_are_levels(table):
    frame = table("a,b\n" + "None,1\nx,2\nunknown,3\nx,4\n")
    assert frame["a"].tolist() == ["None", "x", "unknown", "x"]


def test_missing_by_option(table):
    text = "a,b\n1,-999\n-999,2\n3,NA\n"
    assert table(text, missing="-999").isna().sum().tolist() == [1, 2]
    assert table(text, missing={"a": [-999]}).isna().sum().tolist() == [1, 1]
    assert table("a,b\nNA,1\nEU,2\n,3\n", missing=[])["a"].isna().tolist() == [False, False, True]
    ages = [str(20 + i % 60) for i in range(200)] + ["999"] * 20
    frame = table(column(ages))
    assert frame["x"].max() == 999 and "999 in 'x' looks like a code for missing [--missing]" in said(frame)
    days = [f"2020-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(200)] + ["1900-01-01"] * 20 + ["0000-00-00"] * 3
    frame = table(column(days))
    assert frame["x"].isna().sum() == 3 and "1900-01-01 in 'x' looks like a code" in said(frame)


def test_truth_values(table):
    assert table(column(["TRUE", "FALSE"]))["x"].tolist() == [True, False]
    assert table(column(["true", "", "false"]))["x"].tolist()[::2] == [True, False]
    assert table(column(["Y", "N"]))["x"].tolist() == ["Y", "N"]
    frame = table(column(["yes", "Yes", "NO", "no", "yes", "no", "no"]))
    assert frame["x"].tolist() == ["yes", "yes", "no", "no", "yes", "no", "no"]
    assert "in whatever case" in said(frame)


def test_blanks_around_labels(table):
    frame = table(column(["a", " a", "b ", "b"]))
    assert frame["x"].tolist() == ["a", "a", "b", "b"] and "blanks around labels in 'x'" in said(frame)
    assert table(column([" a", "b", "c"]))["x"].tolist() == [" a", "b", "c"]  # nothing to confuse it with
    assert "differ by case alone" in said(table(column(["m", "M", "f", "f"])))


REFUSED = {
    "a,b\n1,2,3\n4,5,6\n": "t.csv: line 1 has 2 names, and every row from line 2 on has 3 cells; name all of them",
    "a,b\n1,2\n1,2,3\n4,5\n6\n": "rows have 2 cells, but line 3 has 3, line 5 has 1",
    'a,b\n"one\ntwo",1\n3,4,5\n': "line 4 has 3",  # lines, not rows
    "a,b\n1,2\n3,\"4\n5,6\n": "the quote \" that opens in line 3 is never closed",
    "a,b,a\n1,2,3\n": "line 1: two columns of one name: ['a']",
    "x,y\n1.5,a\n2.0,b\n3.0O,a\n4.5,b\n": "line 4, column 'x': '3.0O' where the other cells are numbers",
    column(["2024-01-31", "2024-02-30", "2024-03-01", "2024-03-02"]): "line 3, column 'x': '2024-02-30' where",
    "": "empty", "\n \n": "empty", "a,b\n": "no rows",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_the_line(table, text):
    with pytest.raises(DataError) as error:
        table(text)
    assert REFUSED[text] in str(error.value), error.value


def test_a_code_among_whole_numbers_is_named(table):
    frame = table(column([str(70_000 + i) for i in range(40)] + ["85123A"]))
    assert frame["x"].tolist()[-1] == "85123A" and "'x' kept as text: '85123A' (" in said(frame)
    assert "line 42" in said(frame)


HEADERS = {
    "70,1.5,Zü\n57,2.5,Mü\n49,3.5,Mü\n": (["column_0", "column_1", "column_2"], 3),
    "country,2019,2020,2021\nA,1.5,2.5,3.5\nB,2,3,4\n": (["country", "2019", "2020", "2021"], 2),
    ",x\n0,1.5\n1,2.5\n": (["", "x"], 2),
    ",,x\n0,a,1.5\n1,b,2.5\n": (["column_0", "column_1", "x"], 2),
    " age,income \n1,2.5\n2,3.5\n": ([" age", "income "], 2),
    "red,m\nblue,f\nred,f\nblue,m\nred,m\n": (["column_0", "column_1"], 5),
    "2019,place\n20190103,Oslo\n20190210,Rome\n20190304,Oslo\n20190405,Voss\n20190506,Bern\n20190607,Oslo\n": (
        ["2019", "place"],
        6,
    ),
    "20190103,Oslo\n20190210,Rome\n20190304,Oslo\n20190405,Voss\n20190506,Bern\n20190607,Oslo\n20190708,Graz\n": (
        ["column_0", "column_1"],
        7,
    ),
    "colour,sex\nblue,f\nred,f\nblue,m\nred,m\n": (["colour", "sex"], 4),
    "2019,place\n00006,Oslo\nNA,Rome\n00024,Rome\n00010,Voss\n00028,Bern\n00026,Graz\n00003,Oslo\n": (
        ["2019", "place"],
        7,
    ),
    "2019,place\n90071992547409993,Oslo\n90071992547409944,Rome\n90071992547409979,Voss\n90071992547409972,Bern\n"
    "90071992547410000,Graz\n90071992547409986,Oslo\n": (["2019", "place"], 6),
    "place,2019\nOslo,1\nRome,0\nVoss,1\nRome,-1\nBern,0\n": (["place", "2019"], 5),
    "Graz,2019\nOslo,1998\nRome,2003\nVoss,2001\nRome,7\nBern,2005\n": (["column_0", "column_1"], 6),
    "9999,Oslo\n10000,Rome\n10001,Voss\n10002,Bern\n10003,Graz\n10004,Lund\n": (["column_0", "column_1"], 6),
    "00006,Oslo\n00024,Rome\n00010,Voss\n00028,Bern\n00026,Graz\n00003,Oslo\n": (["column_0", "column_1"], 6),
}


@pytest.mark.parametrize("text", HEADERS)
def test_names_or_none(table, text):
    names, rows = HEADERS[text]
    frame = table(text)
    assert frame.columns.tolist() == names and len(frame) == rows


def test_options(table):
    assert table("1,2\n3,4\n", header=True).columns.tolist() == ["1", "2"]
    assert len(table("a,b\nc,d\n", header=False)) == 2
    assert table("a,b\n1,2\n", header=["p", "q"]).to_dict("list") == {"p": [1], "q": [2]}
    assert table("1,2\n3,4\n", header=["p", "q"]).to_dict("list") == {"p": [1, 3], "q": [2, 4]}
    assert table("a:b\n1:2\n", sep=":").columns.tolist() == ["a", "b"]
    assert table("a,b,c\n1,2,x\n", drop="b").columns.tolist() == ["a", "c"]
    frame = table("n,x\n7,1.5\n7,2.5\n8,3.5\n", id="n")
    assert frame["n"].tolist() == ["7", "7", "8"] and infer_schema(frame)["n"].kind == "identifier"
    assert table("a,b\nü,1\n".encode("cp850"), encoding="cp850")["a"][0] == "ü"


@pytest.mark.parametrize(
    "options",
    [
        {"sep": "ab"}, {"sep": "x"}, {"encoding": "utf-9"}, {"decimal": ";"}, {"thousands": "x"}, {"dayfirst": "yes"},
        {"header": "a"}, {"header": ["a", "a"]}, {"missing": True}, {"drop": "nowhere"}, {"id": "nowhere"},
        {"missing": {"nowhere": 1}}, {"header": ["a", "b", "c"]},
    ],
)  # fmt: skip
def test_impossible_options_are_named(table, options):
    with pytest.raises(DataError, match=next(iter(options))):
        table("a,b\n1,2\n", **options)


def test_what_was_assumed_stays_with_the_frame(table, tmp_path):
    frame = table(LAYOUTS["comma decimals"][0])
    for same in (
        frame,
        frame.copy(),
        frame[frame["age"] > 30],
        frame.head(3),
        pd.read_pickle(_pickled(frame, tmp_path)),
    ):
        record = assumed(same)
        assert record.sep == ";" and record.columns["income"].decimal == ","
    frame.to_parquet(tmp_path / "t.parquet")  # JSON, so that other writers can keep it
    assert assumed(pd.DataFrame({"a": [1]})) is None


def _pickled(frame, folder):
    frame.to_pickle(folder / "t.pkl")
    return folder / "t.pkl"


def test_later_rows_are_read_as_the_first_were(table):
    """Not typed anew by what a batch holds."""
    first = table('ward,day,x\n10,03/04/2024,"1,5"\nA1,25/12/2024,"2,25"\n20,01/01/2024,"3,5"\n')
    later = table('ward,day,x\n10,05/06/2024,"1,000"\n20,,-\n', like=assumed(first), missing="-")
    assert later["ward"].tolist() == ["10", "20"] and later["day"][0] == pd.Timestamp(2024, 6, 5)
    assert later["x"].tolist()[0] == 1.0 and later["x"].isna()[1]
    with pytest.raises(DataError, match=r"line 2, column 'x': expected numbers, as in earlier rows, got '1.000,0.0'"):
        table('ward,day,x\n10,,"1.000,0.0"\n', like=assumed(first))


# formats


def packed(name, raw):
    if name == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("t.csv", raw)
        return buffer.getvalue()
    zstd = lambda b: pa.compress(b, codec="zstd", asbytes=True)  # noqa: E731
    return {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd}[name](raw)


@pytest.mark.parametrize("name", ["gz", "xz", "bz2", "zst", "zip"])
def test_packed(table, name):
    suffix = "zip" if name == "zip" else f"csv.{name}"
    pd.testing.assert_frame_equal(table(packed(name, TEXT.encode()), f"t.{suffix}"), RIGHT)
    with pytest.raises(DataError, match=r"cut\..*(cut off|zip)"):
        table(packed(name, TEXT.encode())[:-30], f"cut.{suffix}")


def test_a_zip_of_several_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("sub/b.tsv", "x\ty\n1\t2\n")
    with pytest.raises(DataError, match=r"holds 2 files, \['a.csv', 'sub/b.tsv'\]; name one: .*t.zip::a.csv"):
        read(tmp_path / "t.zip")
    assert read(f"{tmp_path / 't.zip'}::sub/b.tsv").to_dict("list") == {"x": [1], "y": [2]}
    with pytest.raises(DataError, match=r"did you mean 'a\.csv'"):
        read(f"{tmp_path / 't.zip'}::b.csv")


def test_json(table):
    records = RIGHT.to_dict("records")
    for text in (json.dumps(records), json.dumps(RIGHT.to_dict("list")), "\n".join(map(json.dumps, records))):
        pd.testing.assert_frame_equal(table(text, "t.json"), RIGHT)
    pd.testing.assert_frame_equal(table("\n".join(map(json.dumps, records)), "t.jsonl"), RIGHT)
    frame = table(
        '[{"code": "01067", "n": "12", "day": "2024-01-31"}, {"n": "13", "day": "2024-02-01", "x": 1}]', "t.json"
    )
    assert (
        frame["n"].tolist() == ["12", "13"]
        and frame["day"].dtype.kind == "M"
        and frame["x"].isna().tolist() == [True, False]
    )
    with pytest.raises(DataError, match=r"\['a'\] are lists or records.*drop"):
        table('[{"a": [1], "b": 1}]', "t.json")
    with pytest.raises(DataError, match=r"t\.jsonl, line 2"):
        table('{"a": 1}\n{"a": \n', "t.jsonl")
    with pytest.raises(DataError, match="no table"):
        table("3", "t.json")


def test_databases(tmp_path):
    with sqlite3.connect(tmp_path / "t.sqlite") as base:
        RIGHT.to_sql("people", base, index=False)
    pd.testing.assert_frame_equal(read(tmp_path / "t.sqlite"), RIGHT)
    with sqlite3.connect(tmp_path / "t.sqlite") as base:
        RIGHT.to_sql("others", base, index=False)
    base.close()
    with pytest.raises(DataError, match=r"tables \['people', 'others'\]; name one: .*::people"):
        read(tmp_path / "t.sqlite")
    pd.testing.assert_frame_equal(read(f"{tmp_path / 't.sqlite'}::others"), RIGHT)
    with pytest.raises(DataError, match="did you mean 'people'"):
        read(f"{tmp_path / 't.sqlite'}::peple")


def test_workbooks(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["a", "day", "money"])
    for row in ([1, pd.Timestamp(2024, 1, 31), "1.234,50"], [None, pd.Timestamp(2024, 2, 1), "3,25"]):
        book.active.append(row)
    book.create_sheet("more").append(["x"])
    book["more"].append([2.5])
    book.save(tmp_path / "t.xlsx")
    frame = read(tmp_path / "t.xlsx")
    assert frame["a"].isna().tolist() == [False, True] and frame["day"].dtype.kind == "M"
    assert frame["money"].tolist() == [1234.5, 3.25] and "['more'] left out" in said(frame)
    assert read(f"{tmp_path / 't.xlsx'}::more").to_dict("list") == {"x": [2.5]}
    with zipfile.ZipFile(tmp_path / "t.xlsx") as good, zipfile.ZipFile(tmp_path / "far.xlsx", "w") as far:
        for name in good.namelist():
            text = good.read(name)
            far.writestr(name, text.replace(b'<row r="3">', b'<row r="8388608">') if "sheet1" in name else text)
    with pytest.raises(DataError, match=r"its first 32[0-9]{3} rows would take .* is it damaged"):
        read(tmp_path / "far.xlsx")  # eight million empty rows before the last


def test_arrow_and_parquet(tmp_path):
    for name in ("t.arrow", "t.feather", "t.parquet", "t.pq"):
        (RIGHT.to_feather if name[2] in "af" else RIGHT.to_parquet)(tmp_path / name)
        pd.testing.assert_frame_equal(read(tmp_path / name), RIGHT)
    pd.DataFrame({"a": [[1], [2]], "b": [1, 2]}).to_parquet(tmp_path / "n.parquet")
    with pytest.raises(DataError, match=r"\['a'\] are lists or records; leave them out: drop=\['a'\]"):
        read(tmp_path / "n.parquet")
    assert read(tmp_path / "n.parquet", drop="a").columns.tolist() == ["b"]


@pytest.mark.parametrize(
    "raw", [TEXT.encode(), gzip.compress(TEXT.encode()), RIGHT.to_json(orient="records").encode(), RIGHT.to_parquet()]
)
def test_standard_input(monkeypatch, raw):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    pd.testing.assert_frame_equal(read("-"), RIGHT)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.json", "t.json.gz", "t.parquet", "t.feather"])
def test_what_is_written_is_read_back(tmp_path, name):
    frame = RIGHT.assign(day=pd.Timestamp("2024-01-31") + pd.to_timedelta(range(60), unit="D").astype("timedelta64[s]"))
    frame["day"] = frame["day"].astype("datetime64[us]")
    write(frame, tmp_path / name)
    pd.testing.assert_frame_equal(read(tmp_path / name), frame, check_dtype=False)


def test_decimals_stay_decimals():
    frame = pd.DataFrame({"price": [Decimal(v) / 100 for v in range(100, 160)]})
    assert infer_schema(frame)["price"].dtype == "object, decimal"


@pytest.mark.skipif(not FIELD.exists(), reason="no folder of messy files here")
def test_the_folder_of_messy_files(capsys):
    sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
    try:
        from field_files import main
    finally:
        sys.path.pop(0)
    assert {p.name for p in FIELD.iterdir()} == set(EXPECTED)
    assert main(FIELD) == 0, [x for x in capsys.readouterr().out.splitlines() if "WRONG" in x]


WRITTEN = [
    "1,234.50 | 12,000.00 | 999.50", "1.234,5 | 12.000,0 | 999,5", "1 234 | 12 000 | 999",
    "$1,000.50 | -$3.25 | $0.10", "12.0 EUR | 13.5 EUR | 0.0 EUR", "(1.5) | 2.5 | (30.0)", "12.5% | 13.0%",
    "TRUE | FALSE", "yes | no", "a |  b| c ", "2024-01-31 | 2024-02-01", "31/01/2024 | 01/02/2024",
    "1/31/2024 | 12/1/2024", "20240131 | 20240201", "31.1.24 | 1.2.24", "Jan 31, 2024 | Feb 01, 2024",
    "31-Jan-2024 | 01-Feb-2024", "2024-01 | 2024-12", "01/2024 | 12/2024", "2024Q1 | 2024Q4",
    "2024-01-31T13:05:00.250 | 2024-02-01T00:00:00.000", "1/31/2024 01:05 PM | 2/1/2024 12:00 AM", "01:54 | 22:10",
    "2024-01-31T13:05:00Z | 2024-02-01T00:00:00Z", "2024-01-31T13:05+02:00 | 2024-02-01T00:00+02:00", "01067 | 80331",
]  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
def test_cells_are_written_as_they_were_read(table, case):
    """A notation read from a file writes the same text, so that made cells look like the others."""
    cells = case.split("|") if "a |" in case else case.split(" | ")
    frame = table(column(cells))
    assert write_as(frame["x"], assumed(frame).columns["x"]).tolist() == cells


def test_one_note_for_all_columns_with_the_same_marks(tmp_path):
    (tmp_path / "de.csv").write_text("a;b;c\n" + "".join(f"{i},5;{i},2{i % 9};w{i % 3}\n" for i in range(30)))
    line = assumed(read(tmp_path / "de.csv")).line("--")
    assert "'a', 'b' have the decimal mark ',' [--decimal]" in line and line.count("decimal mark") == 1
