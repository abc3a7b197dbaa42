"""A load test of `make serve`: its rate, its waiting times, and its memory among hostile calls.

Command (10,000 calls, 1,000 of them hostile, by 4 clients; a few minutes):
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/serving.py [CALLS [HOSTILE [CLIENTS]]]
The server is another process, in a folder of its own, on a free port of 127.0.0.1. A call holds one
photograph as a JPEG, or something hostile; calls are in an order that is drawn once.
"""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from skimage.data import astronaut

HOST = "127.0.0.1"
WARM = 100  # calls before memory is looked at first
TENTHS = 10  # of the calls, after each of which memory is looked at
START = 300  # s at most until the server answers
JSON = "application/json"
PHOTOS = 40  # different ones


@dataclass(frozen=True)
class Call:
    """A call: what it is named, its body, and the HTTP status that it should get."""

    name: str
    body: bytes
    status: int = 200
    kind: str = JSON


def records(*pictures: object, column: str = "picture") -> bytes:
    """Write a call's body."""
    return json.dumps({"dataframe_records": [{column: one} for one in pictures]}).encode()


def text(data: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(data).decode()


def saved(pixels: NDArray[np.uint8], form: str) -> bytes:
    """Save pixels as a file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def good() -> list[Call]:
    """Make calls of a photograph each, 400 x 400 px."""
    whole, rng = astronaut(), np.random.default_rng(0)
    calls = []
    for _ in range(PHOTOS):
        y, x = rng.integers(0, 112, 2)
        jpeg = saved(whole[y : y + 400, x : x + 400], "JPEG")
        calls.append(Call("photograph", records(text(jpeg))))
    return calls


def hostile() -> list[Call]:
    """Make calls that no server wants."""
    rng = np.random.default_rng(1)
    jpeg = saved(astronaut(), "JPEG")
    bomb = BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")  # 900 million pixels in 110 kB
    return [
        Call("noise", records(text(rng.bytes(100_000)))),
        Call("half a JPEG", records(text(jpeg[: len(jpeg) // 2]))),
        Call("a bomb", records(text(bomb.getvalue()))),
        Call("40 million pixels", records(text(saved(np.zeros((6000, 6600), np.uint8), "PNG")))),
        Call("nothing", records("")),
        Call("10 MB", records(text(bytes(10_000_001)))),
        Call("no base64", records("abc"), 400),
        Call("a number", records(5), 400),
        Call("another column", records(text(jpeg), column="image"), 400),
        Call("33 pictures", records(*[text(jpeg)] * 33), 400),
        Call("a million rows", records(*[""] * 1_000_000), 400),
        Call("deep JSON", b"[" * 1_000_000, 400),
        Call("no JSON", rng.bytes(1_000_000), 400),
        Call("a chat", json.dumps({"messages": "x" * 5_000_000}).encode(), 400),
        Call("33 MB", b"x" * 33_000_000, 413),
        Call("CSV", b"picture\nabc", 415, "text/csv"),
    ]


def server(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start `make serve` in a folder, and wait until it answers; return it and its port."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": ""}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "latenthash.jobs.serve", "code", str(port)],
            cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return process, port
        except OSError:
            time.sleep(0.5)
    raise SystemExit((folder / "log.txt").read_text())


def memory(parent: int, field: str) -> float:
    """Return the memory of uvicorn, the child of MLflow's command, MB."""
    (child,) = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    lines = Path(f"/proc/{child}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) / 1000


def caller(port: int) -> Callable[[Call], tuple[float, str]]:
    """Return what makes a call: the seconds it took, and what was wrong with its answer."""

    def ask(call: Call) -> tuple[float, str]:
        connection = http.client.HTTPConnection(HOST, port, timeout=300)
        started = time.perf_counter()
        connection.request("POST", "/invocations", call.body, {"Content-Type": call.kind})
        answer = connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - started
        connection.close()
        if answer.status != call.status:
            return seconds, f"{call.name}: HTTP {answer.status}, not {call.status}"
        if b"Traceback" in body or len(body) > 5000:
            return seconds, f"{call.name}: a stack trace, or the call itself"
        code = call.status == 200 and json.loads(body)["predictions"][0]["code"]
        if bool(code) != (call.name == "photograph"):
            return seconds, f"{call.name}: {body[:200]!r}"
        return seconds, ""

    return ask


def drawn(calls: int, bad: int) -> Iterator[Call]:
    """Give so many calls, so many of them hostile, in an order that is drawn."""
    kinds = np.random.default_rng(2).permutation(np.arange(calls) < bad)
    well, ill = good(), hostile()
    for i, is_bad in enumerate(kinds):
        yield ill[i % len(ill)] if is_bad else well[i % len(well)]


def main() -> None:
    """Measure everything and print a Markdown table."""
    count, bad, clients = (*map(int, sys.argv[1:]), *(10_000, 1_000, 4)[len(sys.argv) - 1 :])
    console = Console(soft_wrap=True, markup=False)
    calls: Sequence[Call] = list(drawn(count, bad))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(clients) as pool:
        process, port = server(Path(folder))
        try:
            ask = caller(port)
            list(pool.map(ask, [one for one in calls if one.name == "photograph"][:WARM]))
            before, started = memory(process.pid, "VmRSS"), time.perf_counter()
            answers, after = [], []
            for part in np.array_split(np.arange(count), TENTHS):
                answers += pool.map(ask, [calls[i] for i in part])
                after.append(memory(process.pid, "VmRSS"))
            seconds, peak = time.perf_counter() - started, memory(process.pid, "VmHWM")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    pairs = zip(answers, calls, strict=True)
    times = [1000 * waited for (waited, _), call in pairs if call.name == "photograph"]
    middle, late = np.percentile(times, [50, 99])
    console.print("| what | figure |\n|---|---|")
    console.print(f"| calls, hostile among them, clients | {count:,}, {bad:,}, {clients} |")
    console.print(f"| calls/s | {count / seconds:.1f} |")
    console.print(f"| p50 and p99 of a photograph | {middle:.0f} ms, {late:.0f} ms |")
    console.print(f"| memory before, at most | {before:.0f}, {peak:.0f} MB |")
    tenths = ", ".join(f"{one:.0f}" for one in after)
    console.print(f"| memory after each tenth of the calls | {tenths} MB |")
    for wrong, many in Counter(wrong for _, wrong in answers if wrong).items():
        console.print(f"| wrong: {wrong} | {many} |")


if __name__ == "__main__":
    main()
