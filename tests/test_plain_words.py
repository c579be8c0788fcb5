"""The prose of the documentation is easy to read, and the check that says so finds what is not."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("plain_words", ROOT / "tools" / "plain_words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = """# Tables of many words in a heading that is no sentence at all

You fit a model. It fills holes in `df[["age", "cost"]]`, and says how sure it is:

```python
vae.fit(df)  # a long line of code that is no prose, so that its words do not count, however many there are of them
```

| a table | has cells with many words that are read one after another and never as one sentence |
|---|---|

- Every item of a list stands alone.
- See [the guide](tables.md), or \\(p(x) = \\sum_z p(x, z)\\).
"""
LONG = "A sentence " + "that goes on and on and on, " * 6 + "is hard to read."


def test_the_pages_are_easy_to_read(check, capsys):
    assert check.main([]) == 0, capsys.readouterr().out


def test_only_prose_counts(check):
    found = check.sentences(PAGE)
    assert [check.words(s) for s in found] == [4, 11, 7, 5]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("en/how-to/a.md", LONG, "more than 20"),
        ("en/index.md", LONG, "more than 20"),
        ("en/audit.md", LONG, None),  # reported, not refused
        ("en/audit.md", "The column is text, so read.", "'so read'"),
        ("en/tutorials/a.md", "This is Obviously so.", "'Obviously'"),
        ("en/tutorials/a.md", PAGE, None),
    ],
)
def test_a_page_that_is_hard_to_read_is_found(check, tmp_path, name, text, said):
    page = tmp_path / name
    page.parent.mkdir(parents=True)
    page.write_text(text)
    found = check.faults(page)
    assert (said in found[0] and len(found) == 1) if said else not found
