"""Two hosts, as network namespaces: one is cut off, or stops, in the middle of a training."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import members

NAMES, ADDRESSES = ("laten-a", "laten-b"), ("10.77.0.1", "10.77.0.2")
OWN = Path("/etc/netns")  # what a namespace has in place of /etc
PLAN = ["fit", "wine", "--latent", 2, "--width", 8, "--patience", 0, "--epochs", 100_000, "--timeout", 10]


def ip(*words: str, check: bool = True) -> int:
    return subprocess.run(["ip", *words], check=check, capture_output=True).returncode


@pytest.fixture
def hosts() -> Iterator[list[list[str]]]:
    """What goes before a command, to run it on each of two hosts that are linked by a cable."""
    if shutil.which("ip") is None or ip("netns", "add", NAMES[0], check=False):
        pytest.skip("network namespaces cannot be made here")
    try:
        ip("netns", "add", NAMES[1])
        ip("link", "add", "laten-va", "netns", NAMES[0], "type", "veth", "peer", "name", "laten-vb", "netns", NAMES[1])
        for name, address, link in zip(NAMES, ADDRESSES, ("laten-va", "laten-vb"), strict=True):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", link)
            for up in ("lo", link):
                ip("-n", name, "link", "set", up, "up")
            (OWN / name).mkdir(parents=True, exist_ok=True)
            # a host's own name is its address in the network, by which gloo has itself called
            (OWN / name / "hosts").write_text(f"127.0.0.1 localhost\n{address} {socket.gethostname()}\n")
        yield [["ip", "netns", "exec", name] for name in NAMES]
    finally:
        for name in NAMES:
            ip("netns", "del", name, check=False)
            shutil.rmtree(OWN / name, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut off", "stopped"])
def test_a_host_that_is_lost(hosts, tmp_path, how):
    run = tmp_path / "run"
    pair = members.started([[*PLAN, "-o", tmp_path / "m.laten", "--run", run]] * 2, ADDRESSES[0], hosts)
    try:
        began = time.monotonic()
        while not list(run.glob("checkpoint-*")):
            assert all(p.poll() is None for p in pair), [p.communicate() for p in pair]
            assert time.monotonic() - began < 400
            time.sleep(0.2)
        time.sleep(2)
        began = time.monotonic()
        if how == "cut off":
            ip("-n", NAMES[0], "link", "set", "laten-va", "down")
        else:
            pair[1].send_signal(signal.SIGSTOP)
        said = pair[0].communicate(timeout=120)[1]
        took = time.monotonic() - began
        pair[1].send_signal(signal.SIGCONT)
        other = pair[1].communicate(timeout=120)[1]
        print(f"{how}: noticed after {took:.1f} s")
        assert took < 60
        assert [p.returncode for p in pair] == [75, 75]
        assert "laten: process 1 has been silent for 10 seconds: it is stopped, or cut off" in said
        assert str(run) in said
        if how == "cut off":
            assert "laten: process 0 has been silent for 10 seconds" in other
        assert list(run.glob("checkpoint-*"))
    finally:
        for p in pair:
            p.kill()
