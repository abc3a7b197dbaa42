"""What stands between the network and MLflow's server: a bound on bodies, and no stack traces.

`make serve` names `Guarded` to uvicorn, the server that `mlflow models serve` starts.
"""

import json
import logging
from typing import Any

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)
from uvicorn.protocols.http.auto import AutoHTTPProtocol

log = logging.getLogger(__name__)

PLACE = f"{__name__}:Guarded"  # as uvicorn takes it
MOST_BODY = 32_000_000  # bytes of a call; base64 has 4 for 3 of a picture
DRAINED = 10 * MOST_BODY  # bytes: who sends that much is not told why it was too much
# What of JSON begins another value, and no base64 holds: a value takes 50 times its bytes, read.
PARTS, MOST_PARTS = (b",", b"[", b"{"), 1000
JSON = "application/json"
TRACE = "stack_trace"  # where MLflow's answers have it
LONGEST = 600  # letters of a message: MLflow's repeat what was sent, up to all of it


class Guarded(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP, with the guard before the application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = guarded(vars(self)["app"])


def guarded(app: ASGI3Application) -> ASGI3Application:
    """Guard an application.

    Bodies over the limits are refused (413, 400), and so are those that are not JSON (415): MLflow
    would read CSV and Parquet, too. Of answers that are errors the stack trace is logged, and not
    sent.
    """

    async def guard(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            sentence = f"A call takes {MOST_BODY:,} bytes at most: make several calls."
            await _answer(send, 413, {"message": sentence})
            return
        kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        if kind.partition(";")[0].strip().lower() != JSON:
            await _answer(send, 415, {"message": f"The content type must be {JSON}."})
            return
        if sum(body.count(mark) for mark in PARTS) > MOST_PARTS:
            await _answer(send, 400, {"message": "The call holds too many values."})
            return
        whole = [body]
        del body  # the application alone holds it, and lets it go

        async def given() -> ASGIReceiveEvent:
            if whole:
                return {"type": "http.request", "body": whole.pop(), "more_body": False}
            return await receive()

        await app(scope, given, _without_trace(send))

    return guard


async def _read(receive: ASGIReceiveCallable) -> bytes | None:
    """Read a body; None where it is too large, or nobody is there any more."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None
        size += len(event["body"])
        if size <= MOST_BODY:
            parts.append(event["body"])
        else:
            parts.clear()
        if not event["more_body"] or size > DRAINED:
            return b"".join(parts) if size <= MOST_BODY else None


def _without_trace(send: ASGISendCallable) -> ASGISendCallable:
    """Return what sends answers, errors without their stack trace."""
    failed: list[int] = []
    parts: list[bytes] = []

    async def sending(event: ASGISendEvent) -> None:
        if event["type"] == "http.response.start" and event["status"] >= 400:
            failed.append(event["status"])
        elif failed and event["type"] == "http.response.body":
            parts.append(event["body"])
            if not event.get("more_body", False):
                await _answer(send, failed[0], _tidied(b"".join(parts)))
        else:
            await send(event)

    return sending


def _tidied(body: bytes) -> dict[str, object]:
    """Take the stack trace out of an answer, and most of what it repeats of the call."""
    try:
        values = json.loads(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        values = {"message": body.decode(errors="replace")}
    if trace := values.pop(TRACE, None):
        log.error("%s", trace)
    text = str(values.get("message", "")).rpartition("\nError: ")[2]
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
    return {**values, "message": text}


async def _answer(send: ASGISendCallable, status: int, values: dict[str, object]) -> None:
    body = json.dumps(values).encode()
    headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
    if status == 413:
        headers.append((b"connection", b"close"))  # the rest of the body may not have been read
    await send(
        {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
