"""A timestamp is asked for, verified and kept; an answer that does not verify leaves everything as it was."""

import base64
import json
import socket
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import NotLocked
from forethought.ledger import GENESIS, Event, chain
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Registration, Service, Stage, Why, agree, amend, lock, read
from forethought.registration.anchoring import recorded
from forethought.registration.document import read_document

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
BEFORE_ANYTHING = Stage(first_allocation=False, first_outcome=False, unblinded=False)

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]
Web, Authority = Any, Any


def again(folder: StudyFolder, loaded: LoadedProtocol, service: Service | None = None) -> Registration:
    return lock(folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=True, service=service)


def contents(folder: StudyFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def record_of(folder: StudyFolder) -> bytes:
    document = read_document(folder.registration)
    assert document is not None
    return document.records[-1]


def test_a_lock_with_a_service_carries_its_timestamp(
    folder: StudyFolder, stamped: Registration, web: Web, trusted: Authority
) -> None:
    (one,) = stamped.timestamps
    assert read(folder) == stamped
    assert (one.service, one.root) == (web.url, trusted.root.read_text())
    assert abs(one.at - datetime.now(UTC)) < timedelta(minutes=5)


def test_openssl_verifies_what_is_stored_against_the_record(
    folder: StudyFolder, stamped: Registration, trusted: Authority, tmp_path: Path
) -> None:
    (tmp_path / "token.tsr").write_bytes(base64.b64decode(stamped.timestamps[0].token))
    (tmp_path / "record.json").write_bytes(record_of(folder))
    verify = [
        "openssl",
        "ts",
        "-verify",
        "-in",
        "token.tsr",
        "-data",
        "record.json",
        "-CAfile",
        str(trusted.root),
    ]
    said = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in said.stdout + said.stderr


def test_the_service_is_sent_a_hash_and_nothing_of_the_study(
    folder: StudyFolder, stamped: Registration, web: Web
) -> None:
    ((kind, query),) = web.asked
    assert kind == "application/timestamp-query"
    assert bytes.fromhex(stamped.timestamps[0].record) in query
    assert len(query) < 100


def test_a_lock_without_a_service_asks_nobody(folder: StudyFolder, locked: Registration, web: Web) -> None:
    assert (locked.timestamps, web.asked) == ((), [])


def test_a_lock_is_given_its_timestamp_later(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration, service: Service
) -> None:
    made = again(folder, loaded, service)
    assert made.model_copy(update={"timestamps": ()}) == locked
    assert len(made.timestamps) == 1
    assert read(folder) == made


def test_stamped_twice_nothing_changes(
    folder: StudyFolder, loaded: LoadedProtocol, stamped: Registration, service: Service, web: Web
) -> None:
    before = contents(folder)
    assert again(folder, loaded, service) == stamped
    assert again(folder, loaded) == stamped
    assert contents(folder) == before
    assert len(web.asked) == 1


def test_an_amendment_carries_its_own_timestamp_beside_that_of_the_lock(
    folder: StudyFolder, stamped: Registration, edit: Edit, service: Service
) -> None:
    why = Why(reason="R", declared=(), after=BEFORE_ANYTHING)
    loaded = edit(lambda plan: plan["analysis"].update(alpha=0.01))
    made = amend(folder, loaded, why, now=NOW, by="ann", seeds={}, supplied=False, service=service)
    assert [one.record for one in made.registration.timestamps][:1] == [stamped.timestamps[0].record]
    assert len({one.record for one in made.registration.timestamps}) == 2
    assert read(folder) == made.registration


def refused_answer(web: Web, other: Authority, kind: str) -> None:
    """Let the service answer something that must not be accepted."""
    trusted_answer = web.answer
    kept = trusted_answer(other.query(b"another record"))
    answers: dict[str, Callable[[bytes], bytes]] = {
        "of another authority": other.answer,
        "of another record and nonce": lambda _: kept,
        "of the same record with another nonce": lambda query: trusted_answer(with_another_nonce(query)),
        "garbage": lambda _: b"<html>Welcome to the hotel's network</html>",
        "empty": lambda _: b"",
        "cut short": lambda query: trusted_answer(query)[:-20],
        "with a flipped bit": lambda query: flipped(trusted_answer(query)),
        "not granted": lambda _: trusted_answer(b"no query at all"),
        "too long": lambda query: trusted_answer(query) + bytes(200_000),
    }
    web.answer = answers[kind]


def with_another_nonce(query: bytes) -> bytes:
    """The query with the last byte of its nonce changed: the nonce is before the last three bytes, certReq."""
    return query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]


def flipped(answer: bytes) -> bytes:
    return answer[:-10] + bytes([answer[-10] ^ 1]) + answer[-9:]


REFUSED = [
    ("of another authority", "cannot be accepted"),
    ("of another record and nonce", "cannot be accepted"),
    ("of the same record with another nonce", r"cannot be accepted \(Nonce mismatch"),
    ("garbage", "cannot be accepted"),
    ("empty", "cannot be accepted"),
    ("cut short", "cannot be accepted"),
    ("with a flipped bit", "cannot be accepted"),
    ("not granted", "did not grant it"),
    ("too long", "too long for a timestamp"),
]


@pytest.mark.parametrize(("kind", "said"), REFUSED)
def test_an_answer_that_does_not_verify_writes_nothing(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    service: Service,
    web: Web,
    other: Authority,
    kind: str,
    said: str,
) -> None:
    refused_answer(web, other, kind)
    before = contents(folder)
    with pytest.raises(NotLocked, match=said) as refused:
        again(folder, loaded, service)
    assert "nothing was written. Try again; or leave out --timestamp now, and add it later" in str(
        refused.value
    )
    assert contents(folder) == before


def test_an_answer_that_does_not_verify_leaves_a_lock_as_it_was(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    locked: Registration,
    service: Service,
    web: Web,
    other: Authority,
) -> None:
    before = contents(folder)
    web.answer = other.answer
    with pytest.raises(NotLocked, match="cannot be accepted"):
        again(folder, loaded, service)
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [(500, {}, "refused with HTTP 500"), (302, {"Location": "/elsewhere"}, "refused with HTTP 302")],
)
def test_a_service_that_refuses_or_sends_elsewhere_writes_nothing(
    folder: StudyFolder, loaded: LoadedProtocol, service: Service, web: Web,
    status: int, headers: dict[str, str], said: str,
) -> None:  # fmt: skip
    web.status, web.headers = status, headers
    before = contents(folder)
    with pytest.raises(NotLocked, match=said):
        again(folder, loaded, service)
    assert contents(folder) == before
    assert len(web.asked) == 1


def test_a_dead_port_writes_nothing(folder: StudyFolder, loaded: LoadedProtocol, trusted: Authority) -> None:
    free = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    free.server_close()
    before = contents(folder)
    with pytest.raises(NotLocked, match="the timestamp service did not answer"):
        again(folder, loaded, Service.named(f"http://127.0.0.1:{free.server_port}", trusted.root))
    assert contents(folder) == before


def test_a_service_that_never_answers_writes_nothing(
    folder: StudyFolder, loaded: LoadedProtocol, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forethought.registration.timestamps.SECONDS", 0.2)
    before = contents(folder)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NotLocked, match=r"did not answer \(timed out\)"):
            again(folder, loaded, Service.named(url, trusted.root))
    assert contents(folder) == before


def test_a_service_that_speaks_no_http_writes_nothing(
    folder: StudyFolder, loaded: LoadedProtocol, trusted: Authority
) -> None:
    def greet(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"220 mail.example.org ready\r\n")

    before = contents(folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(NotLocked, match="the timestamp service did not answer"):
            again(folder, loaded, Service.named(url, trusted.root))
    assert contents(folder) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda stamps, other: stamps[0].update(service="https://example.org"),
        lambda stamps, other: stamps[0].update(root=stamps[0]["root"] + other.root.read_text()),
        lambda stamps, other: stamps.append(stamps[0]),
    ],
    ids=["service", "root", "twice"],
)
def test_a_timestamp_that_was_edited_is_not_that_of_the_ledger(
    folder: StudyFolder, stamped: Registration, other: Authority, change: Callable[[Any, Authority], object]
) -> None:
    document = read_document(folder.registration)
    assert document is not None
    history: list[Event] = []
    for number, (action, _, detail) in enumerate(recorded(document), start=1):
        history.append(chain(history[-1].hash if history else GENESIS, number, NOW, "ann", action, detail))
    agree(folder, history)
    data = json.loads(folder.registration.read_text())
    change(data["timestamps"], other)
    folder.registration.write_text(json.dumps(data))
    with pytest.raises(NotLocked, match=r"is not the one that the ledger has|two timestamps of one record"):
        agree(folder, history)
