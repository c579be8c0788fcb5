"""BIF: whatever writers do to it is read, what is wrong is named by its line, and writing loses nothing."""

import bz2
import gzip
import lzma
import re
import zipfile

import numpy as np
import pytest

import laten as lt
from laten.classical.bif import formatted, is_bif, parse
from laten.common.errors import DataError

ODD = """
/* a comment
   over lines */
network "two words" { property author "someone; with a semicolon" ; property version 1.0 ; }
variable a { // its states
  type discrete [3] { <5%, "5 - 10", >=10 } ;
  property position = (1, 2) ;
}
VARIABLE "b|c" {
  type discrete[ 2 ]{yes/no   "say \\"hi\\""};
}
probability(a) { table 0.2 0.3 , .5; }
probability ( "b|c" | a ) {
  default 1e-1, 0.9;
  ("5 - 10") 0.333, 0.666;   // rounded
}
"""

GOOD = """network n { }
variable a { type discrete [ 2 ] { x, y }; }
variable b { type discrete [ 2 ] { x, y }; }
probability ( a ) { table 0.5, 0.5; }
probability ( b | a ) {
  (x) 0.1, 0.9;
  (y) 0.2, 0.8;
}
"""


def same(one, two):
    return list(one) == list(two) and all(
        one[n].states == two[n].states
        and one[n].parents == two[n].parents
        and np.array_equal(one[n].table, two[n].table)
        for n in one
    )


def test_odd_writing_is_read():
    name, found = parse(ODD)
    assert name == "two words" and list(found) == ["a", "b|c"]
    assert found["a"].states == ("<5%", "5 - 10", ">=10") and found["b|c"].states == ("yes/no", 'say "hi"')
    np.testing.assert_array_equal(found["a"].table, [0.2, 0.3, 0.5])
    np.testing.assert_array_equal(found["b|c"].table[[0, 2]], [[0.1, 0.9], [0.1, 0.9]])
    np.testing.assert_allclose(found["b|c"].table[1], [1 / 3, 2 / 3], atol=1e-15)  # 0.999 is brought to one
    again_name, again = parse(formatted(name, found))
    assert again_name == name and same(again, found)


@pytest.mark.parametrize(
    ("numbers", "row"),
    [("0.1, 0.2, 0.9, 0.8", [0.1, 0.9]), ("0.1, 0.9, 0.2, 0.8", [0.1, 0.9])],
    ids=["the format's order", "row by row"],
)
def test_a_table_with_parents_is_read_in_the_order_that_sums_to_one(numbers, row):
    text = re.sub(r"  \(x\).*\n  \(y\).*\n", f"  table {numbers};\n", GOOD)
    table = parse(text)[1]["b"].table
    np.testing.assert_array_equal(table, [row, [0.2, 0.8]])


def test_what_was_drawn_at_random_comes_back_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    net = lt.DiscreteNetwork(
        {"c": "uvw", "a": ["x", "y"], "b": ["1", "2"]},
        {"a": rng.dirichlet([1, 1]), "b": rng.dirichlet([1, 1]), "c": rng.dirichlet([0.2] * 3, (2, 2))},
        {"c": ("b", "a")},
        "n",
    )
    net.to_bif(tmp_path / "n.bif")
    again = lt.read_bif(tmp_path / "n.bif")
    assert (again.name, again.states, again.parents) == (net.name, net.states, net.parents)
    assert all(np.array_equal(again.tables[n], net.tables[n]) for n in net.tables)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("0.8;\n}\n", "0.8", 7, "the file ends where"),
        ("variable a", "varable a", 2, "expected 'network', 'variable' or 'probability', found 'varable'"),
        ("( a )", "( a | b )", 4, "the arrows run in a circle"),
        ("0.5, 0.5", "0.5, 0.498", 4, "sum to 0.998, not to 1"),
        ("0.5, 0.5", "0.5, 0.25, 0.25", 4, "3 numbers, expected 2"),
        ("0.5, 0.5", "0.5, half", 4, "'half' is no number"),
        ("0.5, 0.5", "1.5, -0.5", 4, "1.5 is no probability"),
        ("  (y) 0.2, 0.8;\n", "", 5, "the row (y) is missing"),
        ("(y)", "(x)", 7, "the row (x) is there twice"),
        ("(y)", "(yy)", 7, "'a' has no state 'yy'; did you mean 'y'?"),
        ("(y)", "(y, y)", 7, "2 states of parents"),
        ("b | a", "b | c", 5, "unknown variable 'c'"),
        ("b | a", "b | a, a", 5, "named twice"),
        ("probability ( a ) { table 0.5, 0.5; }\n", "", 2, "'a' has no probability block"),
        ("probability ( b | a )", "probability ( a )", 5, "two probability blocks"),
        ("variable b", "variable a", 3, "declared twice"),
        ("[ 2 ] { x, y }", "[ 3 ] { x, y }", 2, "[3] but 2 states"),
        ("{ x, y }", "{ x, x }", 2, "'x' is there twice"),
        ("discrete", "continuous", 2, "only discrete"),
        ("{ }", "{ /* no end", 1, "cannot read '/* no end'"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(old, new, line, words):
    assert old in GOOD
    with pytest.raises(DataError, match=re.escape(words)) as found:
        parse(GOOD.replace(old, new, 1), "net.bif")
    assert str(found.value).startswith(f"net.bif, line {line}: ")


def test_every_cut_is_refused_with_its_line():
    """A file that ends early is never half a network, wherever the cut."""
    whole = parse(GOOD)[1]
    for end in range(len(GOOD.rstrip())):
        try:
            name, found = parse(GOOD[:end], "net.bif")
        except DataError as error:
            assert re.match(r"net.bif, line \d+: ", str(error))
        else:
            raise AssertionError(f"cut at {end}: {name} {found}")
    assert len(whole) == 2


def test_files_that_are_none(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        lt.read_bif(tmp_path / "none.bif")
    (tmp_path / "odd.bif").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        lt.read_bif(tmp_path / "odd.bif")
    (tmp_path / "empty.bif").write_text("")
    with pytest.raises(DataError, match="no variable is declared"):
        lt.read_bif(tmp_path / "empty.bif")


@pytest.mark.parametrize("name", ["asia", "cancer", "earthquake", "survey", "sachs", "alarm"])
def test_the_known_files_are_read_and_come_back(name, shared, tmp_path):
    net = lt.read_bif(shared / "data" / "bif" / f"{name}.bif")
    net.to_bif(tmp_path / "again.bif")
    again = lt.read_bif(tmp_path / "again.bif")
    assert again.states == net.states and again.parents == net.parents and again.name == net.name == name
    assert all(np.array_equal(again.tables[n], net.tables[n]) for n in net.tables)


def test_packed_files_are_read(tmp_path):
    (tmp_path / "n.bif").write_text(GOOD)
    expected = lt.read_bif(tmp_path / "n.bif").query("a", {"b": "x"})
    for packing, pack in {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.items():
        (tmp_path / f"n.bif.{packing}").write_bytes(pack(GOOD.encode()))
    with zipfile.ZipFile(tmp_path / "n.bif.zip", "w") as archive:
        archive.writestr("n.bif", GOOD)
    for packing in ("gz", "bz2", "xz", "zip"):
        path = tmp_path / f"n.bif.{packing}"
        assert lt.read_bif(path).query("a", {"b": "x"}).equals(expected) and is_bif(str(path).upper())
        path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(DataError, match=rf"n\.bif\.{packing}: cannot be"):
            lt.read_bif(path)
    (tmp_path / "plain.bif.gz").write_text(GOOD)
    with pytest.raises(DataError, match="Not a gzipped file"):
        lt.read_bif(tmp_path / "plain.bif.gz")
    (tmp_path / "anonymous.bif.gz").write_bytes(gzip.compress(GOOD.partition("\n")[2].encode()))
    assert lt.read_bif(tmp_path / "anonymous.bif.gz").name == "anonymous"
    assert not is_bif("model.laten") and not is_bif("bif.gz")
