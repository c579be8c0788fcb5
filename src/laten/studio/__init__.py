"""The studio: a local page in which a table is looked at, a model is learned, and asked.

The page computes nothing: every number on it comes from `answers/`, `synthetic/` and `plots/contents/`.
"""

from typing import Any

from laten.common.errors import LatenError


def studio(model: Any = None, data: Any = None, *, browser: bool = True) -> Any:
    """Open a page in the browser that asks a fitted model, and go on: the page is served in the background.

    Args:
        model: A fitted `VAE`, a face with one, a `DiscreteNetwork`, the path of a model or BIF file, or None: the page
            can train one.
        data: Rows, in any container that the model takes, or the path of a file; None: the page can open one.

    Other Args:
        browser: Open the browser; otherwise the address is only in `url`.
    Returns:
        The studio: `url`, with its token, and `close()`. It ends with Python: a script must wait for its user.
    Raises:
        LatenError: the extra is not installed (`pip install 'laten[studio]'`); no model, or data that do not fit it.
    """
    try:
        from laten.studio.launch import opened_studio
    except ImportError as error:
        raise LatenError(f"the studio needs {error.name}: pip install 'laten[studio]'") from None
    return opened_studio(model, data, browser)
