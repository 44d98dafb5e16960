"""A registration is refused where its timestamp no longer stamps it; a service is named with its certificate."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import NotLocked, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Registration, Service, Stage, read
from forethought.registration.der import with_sorted_certificates
from forethought.registration.document import read_document

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
BEFORE_ANYTHING = Stage(first_allocation=False, first_outcome=False, unblinded=False)

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]
Web, Authority = Any, Any


def record_of(folder: StudyFolder) -> bytes:
    document = read_document(folder.registration)
    assert document is not None
    return document.records[-1]


def tamper(folder: StudyFolder, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(folder.registration.read_text())
    change(data)
    folder.registration.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.update(locked_by="bob"), "stamps none of the records that are here"),
        (lambda data: data.update(locked_at="2026-01-01T00:00:00Z"), "stamps none of the records that are here"),
        (lambda data: data["timestamps"][0].update(record="0" * 64), "stamps none of the records that are here"),
        (lambda data: data["timestamps"][0].update({"token": "AAAA"}), "timestamp 1 does not verify"),
        (lambda data: data["timestamps"][0].update({"token": "not base64!"}), "timestamp 1 does not verify"),
        (lambda data: data["timestamps"][0].update(root="no certificate"), "timestamp 1 does not verify"),
        (lambda data: data["timestamps"][0].update(at="2026-01-01T00:00:00Z"), "is of another time than it says"),
    ],
)  # fmt: skip
def test_a_registration_that_its_timestamp_does_not_stamp_is_refused(
    folder: StudyFolder, stamped: Registration, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    tamper(folder, change)
    with pytest.raises(NotLocked, match=said):
        read(folder)


def test_a_token_of_another_record_is_refused(
    folder: StudyFolder, stamped: Registration, trusted: Authority
) -> None:
    token = base64.b64encode(trusted.answer(trusted.query(b"another record"))).decode()
    tamper(folder, lambda data: data["timestamps"][0].update({"token": token}))
    with pytest.raises(NotLocked, match="timestamp 1 does not verify"):
        read(folder)


def test_a_token_of_another_authority_is_refused(
    folder: StudyFolder, stamped: Registration, other: Authority
) -> None:
    token = base64.b64encode(other.answer(other.query(record_of(folder)))).decode()
    tamper(folder, lambda data: data["timestamps"][0].update({"token": token}))
    with pytest.raises(NotLocked, match="timestamp 1 does not verify"):
        read(folder)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/tsr",
        "file:///etc/passwd",
        "example.org",
        "",
        "https://",
        "https://example.org:99999",
        "https://[::1",
        "https://ann:pw@example.org",
    ],
)
def test_an_address_that_cannot_be_asked_is_wrong_usage(trusted: Authority, url: str) -> None:
    with pytest.raises(WrongUsage, match="--timestamp"):
        Service.named(url, trusted.root)


def test_a_service_needs_its_root_certificate(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="--timestamp-root"):
        Service.named("https://example.org/tsr", None)
    (tmp_path / "root.pem").write_text("-----BEGIN nothing")
    for file in ("root.pem", "missing.pem"):
        with pytest.raises(WrongUsage, match="Give the service's root certificate as PEM"):
            Service.named("https://example.org/tsr", tmp_path / file)


def test_a_private_key_beside_the_certificate_is_not_published(trusted: Authority, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text((trusted.folder / "root.key").read_text() + trusted.root.read_text())
    assert Service.named("https://example.org", both).root == trusted.root.read_text()


def test_the_order_in_which_a_service_sends_its_certificates_does_not_matter(
    folder: StudyFolder, stamped: Registration
) -> None:
    answer = base64.b64decode(stamped.timestamps[0].token)
    in_order = with_sorted_certificates(answer)
    assert len(in_order) == len(answer)
    assert sorted(in_order) == sorted(answer)
    assert with_sorted_certificates(in_order) == in_order
    for one in (in_order, reversed_certificates(in_order)):
        token = base64.b64encode(one).decode()
        tamper(folder, lambda data, token=token: data["timestamps"][0].update({"token": token}))
        assert read(folder) is not None
    assert reversed_certificates(in_order) != in_order


def reversed_certificates(answer: bytes) -> bytes:
    """The two certificates in the other order: each begins with a sequence in a sequence of its version."""
    starts = [at for at in range(len(answer) - 12) if is_certificate(answer, at)]
    first, second = starts
    end = second + 4 + int.from_bytes(answer[second + 2 : second + 4])
    assert first + 4 + int.from_bytes(answer[first + 2 : first + 4]) == second
    return answer[:first] + answer[second:end] + answer[first:second] + answer[end:]


def is_certificate(answer: bytes, at: int) -> bool:
    return (
        answer[at : at + 2] == b"\x30\x82"
        and answer[at + 4 : at + 6] == b"\x30\x82"
        and answer[at + 8 : at + 13] == b"\xa0\x03\x02\x01\x02"
    )


def test_what_is_no_timestamp_is_handed_on_as_it_is(stamped: Registration) -> None:
    answer = base64.b64decode(stamped.timestamps[0].token)
    for end in range(0, len(answer), 7):
        assert with_sorted_certificates(answer[:end]) == answer[:end]
    for text in (b"<html>", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00" * 3):
        assert with_sorted_certificates(text) == text
