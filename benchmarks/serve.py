"""`laten serve` under load: rows per second, latency, memory; what is lost when a model is swapped, or the end comes.

    python -m benchmarks.serve MODEL DATA [--clients 16] [--seconds 60] [--rows 1] [--question score]

Clients are asyncio streams in this process, on the same machine: they take part of its cores. Each sends its next
request when the last is answered. A request is lost when it was sent whole and its connection ended without an answer.
"""

import argparse
import asyncio
import itertools
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt


@dataclass
class Load:
    """What clients saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    lost: int = 0
    stop: bool = False


def main() -> None:
    """Measure, and print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    for name, default in (("clients", 16), ("seconds", 60), ("rows", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--question", default="score")
    asyncio.run(measure(parser.parse_args()))


async def measure(o: argparse.Namespace) -> None:
    """Start a server, put it under load, swap its model, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.laten"
        shutil.copy(o.model, model)
        process, port = started(model)
        began = time.perf_counter()
        while (await get(port, "/readyz"))[0] != 200:
            await asyncio.sleep(0.2)
        print(f"ready after {time.perf_counter() - began:.1f} s")
        requests = bodies(o, port)
        await loaded(o, port, requests, 3)  # warm
        before = memory(process.pid)
        told("load", o, await loaded(o, port, requests, o.seconds), o.seconds)
        print(f"memory: {before / 1e6:.0f} MB before, {memory(process.pid) / 1e6:.0f} MB after")
        began, load = time.perf_counter(), Load()
        clients = [asyncio.create_task(client(port, requests, load)) for _ in range(o.clients)]
        times = await swapped(model, port)
        load.stop = True
        await asyncio.gather(*clients)
        told(f"swap, model read anew {times} times", o, load, time.perf_counter() - began)
        load = Load()
        clients = [asyncio.create_task(client(port, next(requests), load)) for _ in range(o.clients)]
        await asyncio.sleep(3)
        process.send_signal(signal.SIGTERM)
        began = time.perf_counter()
        code = await asyncio.to_thread(process.wait)
        load.stop = True
        await asyncio.gather(*clients)
        took = time.perf_counter() - began
        print(
            f"SIGTERM: ended with {code} after {took:.1f} s; {sum(load.statuses.values())} answered, {load.lost} lost"
        )


def started(model: Path) -> tuple[subprocess.Popen, int]:
    """Start a server on a free port."""
    command = [sys.executable, "-m", "laten.cli.main", "serve", str(model), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "http://" in line)
    return process, int(line.split("127.0.0.1:")[1].split("/")[0])


def bodies(o: argparse.Namespace, port: int) -> "itertools.cycle[bytes]":
    """Return requests of other rows, for ever."""
    frame = lt.read(o.data).head(2000)
    frame = frame.assign(**{n: frame[n].astype(str) for n in frame if frame[n].dtype.kind == "M"})
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    made = []
    for start in range(0, len(rows) - o.rows + 1, o.rows):
        text = json.dumps({"rows": rows[start : start + o.rows]}, default=plain).encode()
        head = (
            f"POST /models/model/{o.question} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        made.append(head.encode() + text)
    return itertools.cycle(made)


def plain(value: object) -> object:
    """Return what JSON knows of a cell."""
    return None if value is pd.NA else value.item() if isinstance(value, np.generic) else str(value)


async def loaded(o: argparse.Namespace, port: int, requests: "itertools.cycle[bytes]", seconds: float) -> Load:
    """Let clients ask for some seconds."""
    load = Load()
    clients = [asyncio.create_task(client(port, requests, load)) for _ in range(o.clients)]
    await asyncio.sleep(seconds)
    load.stop = True
    await asyncio.gather(*clients)
    return load


async def client(port: int, requests: "itertools.cycle[bytes] | bytes", load: Load) -> None:
    """Ask one request after the other, over a connection that is opened anew when the server ends it."""
    pipe = None
    while not load.stop:
        if pipe is None:
            try:
                pipe = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
        began = time.perf_counter()
        try:
            pipe[1].write(requests if isinstance(requests, bytes) else next(requests))
            await pipe[1].drain()
            status, _, closed = await answer(pipe[0])
        except (OSError, asyncio.IncompleteReadError):
            load.lost += 1
            pipe = None
            continue
        load.seconds.append(time.perf_counter() - began)
        load.statuses[status] += 1
        if closed:
            pipe[1].close()
            pipe = None


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Read an answer: its status, its body, and whether the connection ends."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    return int(head.split(" ")[1]), await reader.readexactly(length), "connection: close" in head


async def get(port: int, path: str) -> tuple[int, bytes]:
    """Ask for a page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    status, body, _ = await answer(reader)
    writer.close()
    return status, body


async def swapped(model: Path, port: int) -> int:
    """Replace the model's file twice, each time until the server has read it; return how often it did."""
    read = 0
    for _ in range(2):
        other = model.with_suffix(".new")
        shutil.copyfile(model, other)
        other.replace(model)
        before, until = read, time.perf_counter() + 120
        while read == before and time.perf_counter() < until:
            await asyncio.sleep(0.5)
            lines = (await get(port, "/metrics"))[1].decode().splitlines()
            read = int(float(next((x.split()[1] for x in lines if x.startswith("laten_model_loads_total{")), "0")))
    return read


def memory(pid: int) -> int:
    """Return the bytes of a process that are in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


def told(what: str, o: argparse.Namespace, load: Load, seconds: float) -> None:
    """Print what clients saw."""
    p50, p99 = np.quantile(load.seconds, [0.5, 0.99]) * 1000
    good = load.statuses[200]
    print(
        f"{what}: {o.clients} clients, {o.rows} rows a request, {seconds:.0f} s: {good * o.rows / seconds:.0f} rows/s, "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, answers {dict(load.statuses)}, {load.lost} lost"
    )


if __name__ == "__main__":
    main()
