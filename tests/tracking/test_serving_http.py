"""The guard before MLflow's server: what it refuses, and what it takes out of answers."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from uvicorn.importer import import_from_string

from latenthash.tracking import serving_http
from latenthash.tracking.serving_http import LONGEST, MOST_PARTS, PLACE, Guarded, guarded


def ask(
    *parts: bytes,
    answer: bytes = b"{}",
    status: int = 200,
    kind: str = "application/json",
    method: str = "POST",
) -> tuple[int, Any, list[bytes]]:
    """Call an application that is guarded; return status and body, and the bodies it was given."""
    seen: list[bytes] = []
    sent: list[dict[str, Any]] = []
    events = [
        {"type": "http.request", "body": part, "more_body": i + 1 < len(parts)}
        for i, part in enumerate(parts)
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        assert not event["more_body"]
        seen.append(event["body"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        half = len(answer) // 2
        await send({"type": "http.response.body", "body": answer[:half], "more_body": True})
        await send({"type": "http.response.body", "body": answer[half:]})

    async def receive() -> Any:
        return events.pop(0) if events else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    scope: Any = {"type": "http", "method": method, "headers": [(b"content-type", kind.encode())]}
    asyncio.run(guarded(app)(scope, receive, send))
    body = b"".join(event["body"] for event in sent[1:])
    return (sent[0]["status"] if sent else 0), json.loads(body), seen


def test_call_passes_whole() -> None:
    assert ask(b'{"a"', b": 1}", answer=b'{"b": 2}') == (200, {"b": 2}, [b'{"a": 1}'])
    assert ask(b"", method="GET", kind="")[0] == 200
    assert ask(b"{}", kind="Application/JSON; charset=utf-8")[0] == 200


@pytest.mark.parametrize("parts", [[b"x" * 101], [b"x" * 50] * 3, [b"x" * 50] * 100])
def test_large_body_is_refused(parts: Sequence[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_http, "MOST_BODY", 100)
    monkeypatch.setattr(serving_http, "DRAINED", 1000)
    status, body, seen = ask(*parts)
    assert (status, seen) == (413, [])
    assert body == {"message": "A call takes 100 bytes at most: make several calls."}


@pytest.mark.parametrize("kind", ["text/csv", "application/vnd.apache.parquet", ""])
def test_what_is_not_json_is_refused(kind: str) -> None:
    assert ask(b"a", kind=kind) == (
        415, {"message": "The content type must be application/json."}, []
    )  # fmt: skip


@pytest.mark.parametrize("mark", [b"[", b"{", b"{},"])
def test_body_of_many_values_is_refused_before_it_is_read(mark: bytes) -> None:
    status, body, seen = ask(mark * (MOST_PARTS + 1))
    assert (status, body, seen) == (400, {"message": "The call holds too many values."}, [])


def test_stack_trace_is_logged_and_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    answer = {"error_code": "BAD_REQUEST", "message": "No.", "stack_trace": "Traceback: here"}
    with caplog.at_level(logging.ERROR):
        status, body, _ = ask(b"{}", answer=json.dumps(answer).encode(), status=400)
    assert (status, body) == (400, {"error_code": "BAD_REQUEST", "message": "No."})
    assert "Traceback: here" in caplog.text


def test_answer_does_not_repeat_the_call() -> None:
    text = f"Failed to predict data '{'x' * 9999}'. \nError: Too many."
    assert ask(b"{}", answer=json.dumps({"message": text}).encode(), status=400)[1] == {
        "message": "Too many."
    }
    text = f"Input: {'x' * 9999}: no JSON"
    _, body, _ = ask(b"{}", answer=json.dumps({"message": text}).encode(), status=400)
    assert len(body["message"]) == LONGEST + len(" ... ")
    assert body["message"].endswith(": no JSON")
    assert ask(b"{}", answer=b"Internal Server Error", status=500)[1] == {
        "message": "Internal Server Error"
    }


def test_client_that_hangs_up_is_not_served() -> None:
    assert ask()[2] == []


def test_uvicorn_finds_the_guard() -> None:
    assert import_from_string(PLACE) is Guarded
