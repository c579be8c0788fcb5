"""What comes to the studio in a request: a file, or some JSON."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, Request

from laten.common.errors import LatenError

LARGEST = 2 * 2**30  # bytes of an upload
Given = Annotated[dict[str, Any], Body()]


async def received(request: Request, path: Path, name: str) -> None:
    """Write the body of a request to a file.

    Raises:
        LatenError: it is too large.
    """
    size = 0
    with path.open("wb") as out:
        async for part in request.stream():
            size += len(part)
            if size > LARGEST:
                raise LatenError(f"{name}: more than {LARGEST // 2**30} GiB; give the path to `laten studio` instead")
            out.write(part)
