"""Tables read in parts: the same frames and schema as at once; files that are not alike are refused by name."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.data.files.open_parts import beyond, estimated_rows, open_parts
from laten.data.files.survey import keep, kept, survey
from laten.data.files.write import write
from laten.data.files.write_parts import appending
from laten.data.rows.fill_spool import held_out


def table(rows: int = 3000) -> pd.DataFrame:
    """Rows whose odd cells come late: a rare level, a hole, the ends of a range, a fraction."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100, 5, rows).round(1),
            "count": rng.poisson(3, rows).astype(float),
            "city": rng.choice(["Oslo", "Rome", "Bonn"], rows),
            "flag": rng.random(rows) < 0.3,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "group": pd.Categorical(rng.choice(["a", "b"], rows), ["c", "b", "a"]),
        }
    )
    frame.loc[2500, ["size", "city"]] = 300.25, "Lima"
    frame.loc[2501, ["size", "count"]] = -50.0, np.nan
    frame.loc[2502, "group"] = "c"
    return frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The table in three Parquet files of different row groups."""
    (tmp_path / "t").mkdir()
    for i, (start, stop) in enumerate([(0, 1000), (1000, 1001), (1001, 3000)]):
        table().iloc[start:stop].to_parquet(tmp_path / "t" / f"{i}.parquet", row_group_size=700, index=False)
    return tmp_path / "t"


@pytest.mark.parametrize("kind", ["folder", "pattern", "feather", "csv", "csv.gz"])
def test_parts_are_the_rows_of_the_whole(kind, folder, tmp_path):
    name = str({"folder": folder, "pattern": folder / "*.parquet"}.get(kind, tmp_path / f"t.{kind}"))
    if kind not in ("folder", "pattern"):
        write(table(), name)
    parts = open_parts(name)
    assert parts is not None and estimated_rows(parts) == pytest.approx(3000, rel=0.2)
    known_to = parts.knowing(survey(parts, 500).cells)
    frames = [frame for _, frame, _ in known_to.frames(70)]
    assert [len(f) for f in frames] == [70] * 42 + [60]
    whole = lt.read(name)
    pd.testing.assert_frame_equal(pd.concat(frames, ignore_index=True), whole)
    if kind != "folder":
        assert lt.assumed(frames[5]).columns == lt.assumed(whole).columns


def test_the_schema_of_a_small_table_is_that_of_all_its_rows(folder):
    parts = open_parts(folder)
    found = survey(parts)
    assert found.whole and found.drawn.all()
    assert lt.infer_schema(parts.knowing(found.cells).frame(found.cells)) == lt.infer_schema(lt.read(folder))


def test_witnesses_show_what_a_sample_misses(folder):
    parts = open_parts(folder)
    found, whole = survey(parts, 200), lt.infer_schema(lt.read(folder))
    assert found.rows == 3000 and found.drawn.sum() == 200 and len(found.places) < 1500
    schema = lt.infer_schema(parts.knowing(found.cells).frame(found.cells))
    for name in whole.names:
        one, other = schema[name], whole[name]
        assert (one.levels, one.seen.low, one.seen.high) == (other.levels, other.seen.low, other.seen.high), name
        assert (one.seen.missing > 0) == (other.seen.missing > 0), name
        assert one.seen.decimals == other.seen.decimals, name
    blind = lt.infer_schema(lt.read(folder).iloc[found.places[found.drawn]])  # the control
    assert blind["city"].levels != whole["city"].levels


def test_the_sample_is_of_all_rows_alike(folder):
    places = np.concatenate([f.places[f.drawn] for f in (survey(open_parts(folder), 100, seed) for seed in range(30))])
    counts = np.histogram(places, 10, (0, 3000))[0]
    assert len(places) == 3000 and np.square(counts - 300).sum() / 300 < 27.9  # chi-squared, 9 degrees, p = 0.001


def test_a_survey_is_kept_for_the_same_files(folder, tmp_path):
    found = survey(open_parts(folder), 200)
    keep(found, tmp_path / "s", ["files"])
    again = kept(tmp_path / "s", ["files"])
    assert again.cells.equals(found.cells, check_metadata=True) and again.rows == 3000
    assert np.array_equal(again.drawn, found.drawn) and kept(tmp_path / "s", ["others"]) is None


def differing(folder: Path, change) -> str:
    change(table().head(10)).to_parquet(folder / "9.parquet", index=False)
    return str(folder)


REFUSED = {
    "a column lacks": (lambda f: differing(f, lambda t: t.drop(columns="city")), "9.parquet: lacks the column 'city'"),
    "a column more": (lambda f: differing(f, lambda t: t.assign(new=1)), "9.parquet: has the column 'new'"),
    "another type": (
        lambda f: differing(f, lambda t: t.assign(size=t["size"].astype(str))), "9.parquet: column 'size' is "
    ),
    "no file": (lambda f: str(f / "*.csv"), "no file matches"),
    "two kinds": (lambda f: (write(table().head(10), f / "a.csv"), str(f))[1], "several kinds"),
    "no table": (lambda f: ((f / "x.docx").write_bytes(b"-"), str(f / "*"))[1], "x.docx: cannot be read in parts"),
    "damaged": (
        lambda f: ((f / "0.parquet").write_bytes((f / "0.parquet").read_bytes()[:-9]), str(f))[1], "0.parquet: cannot"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_not_alike_are_refused_by_name(name, folder):
    make, words = REFUSED[name]
    with pytest.raises(lt.DataError) as raised:
        open_parts(make(folder))
    assert words in str(raised.value)


def test_text_is_refused_by_file_and_row(tmp_path):
    (tmp_path / "t").mkdir()
    write(table().head(50), tmp_path / "t" / "0.csv")
    (tmp_path / "t" / "1.csv").write_text("size,town\n1,Oslo\n")
    with pytest.raises(lt.DataError, match=r"1\.csv: lacks the column 'count'"):
        open_parts(tmp_path / "t")
    long = "a,b\n" + "1,2\n" * 500_000 + "1,2,3\n"
    (tmp_path / "long.csv").write_text(long)
    with pytest.raises(lt.DataError, match=r"long\.csv: row 500002 of the file has 3 cells instead of 2: '1,2,3'"):
        list(open_parts(tmp_path / "long.csv").cells())


def test_a_file_that_declares_more_than_it_can_hold_is_refused(folder, monkeypatch):
    monkeypatch.setattr("laten.data.files.open_parts.COLUMNS", 1)
    monkeypatch.setattr("laten.data.files.open_parts.FLOOR", 0)
    with pytest.raises(lt.DataError, match=r"0\.parquet: its .* declare 1000 rows of 6 cells"):
        open_parts(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(lt.DataError, match="holds no files"):
        lt.read(tmp_path)


def test_what_is_small_is_not_read_in_parts(folder, tmp_path):
    write(table(), tmp_path / "t.csv")
    for name in (folder, tmp_path / "t.csv"):
        assert beyond(2**30, name) is None and beyond(2**29, name) is not None
    assert beyond(2**29, "wine") is None
    assert isinstance(lt.read(folder), pd.DataFrame)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.json", "t.parquet"])
def test_a_table_written_in_parts_is_the_same_file(name, tmp_path):
    write(table(), tmp_path / f"whole-{name}")
    with appending(tmp_path / name) as put:
        for start in range(0, 3000, 700):
            put(table().iloc[start : start + 700])
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


def test_a_table_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(ValueError, match="on the way"), appending(tmp_path / "t.csv") as put:
        put(table())
        raise ValueError("on the way")
    assert not list(tmp_path.iterdir())
    with pytest.raises(lt.DataError, match="a part at a time"), appending(tmp_path / "t.npy"):
        pass


def test_rows_are_held_out_by_chance():
    held = held_out(3000, 0.1, 0)
    assert len(np.unique(held)) == 300 and abs(held.mean() - 1500) < 150
    assert not len(held_out(9, 0.1, 0)) and len(held_out(10**7, 0.1, 0)) == 2**16
