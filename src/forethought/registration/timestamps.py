"""RFC 3161 timestamps: a service that the user names vouches that a record existed at a time.

The service is sent the SHA-256 of the record's canonical JSON, and nothing else. Its answer is verified before it is
kept, and each time the registration is read, against the certificates that are kept beside it. A reader must decide
whether to trust these; what is shown here is that the answer is theirs and stamps this record.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from forethought.errors import NotLocked, WrongUsage
from forethought.registration.der import with_sorted_certificates
from forethought.registration.document import Document, appended, broken, record_hash
from forethought.registration.records import Registration, Timestamp

SECONDS = 30
"""How long a service may take to answer."""
LARGEST_ANSWER = 100_000
"""Bytes of an answer that are still read; real ones have some five thousand."""

_SHA256 = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A timestamp service: its address, and the PEM of the certificates that its answers must go back to."""

    url: str
    root: str

    @classmethod
    def named(cls, url: str, root: Path | None) -> "Service":
        """The service at this address with the certificates of this file; WrongUsage where either cannot be used."""
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # a port or a bracketed address that is none
            usable = False
        if not usable:
            raise WrongUsage(
                "--timestamp", "this is no address of the web", "Begin it with https:// or http://"
            )
        if parts.username is not None or parts.password is not None:
            raise WrongUsage(
                "--timestamp", "the address holds a name or password, and is published", "Leave them out"
            )
        if root is None:
            raise WrongUsage(
                "--timestamp",
                "without the service's root certificate its answer cannot be verified",
                "Give its PEM file with --timestamp-root",
            )
        return cls(url=url, root=_root(root))


class _NotVerified(Exception):
    """An answer that does not stamp the record, or is not the service's; the text says why."""


def stamped(document: Document, service: Service | None) -> Document:
    """The document with a timestamp of its last record; as it is where that has one, or no service is named.

    NotLocked where the service does not answer, or where its answer does not verify.
    """
    record = document.records[-1]
    digest = record_hash(record)
    if service is None or any(one.record == digest for one in document.registration.timestamps):
        return document
    return appended(document, "timestamps", _asked(service, record))


def check(path: Path, registration: Registration, records: Sequence[bytes]) -> None:
    """NotLocked where a timestamp does not stamp one of the records, or does not verify."""
    by_hash = {record_hash(record): record for record in records}
    for number, one in enumerate(registration.timestamps, start=1):
        record = by_hash.get(one.record)
        if record is None:
            raise broken(path, f"timestamp {number} stamps none of the records that are here")
        try:
            answer = base64.b64decode(one.token, validate=True)
            at = _verified(answer, record, one.root, nonce=None)
        except (_NotVerified, binascii.Error) as error:
            raise broken(path, f"timestamp {number} does not verify ({error})") from error
        if at != one.at:
            raise broken(path, f"timestamp {number} is of another time than it says")


def _root(path: Path) -> str:
    """The certificates of the file, and nothing else that may be in it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    if not path.is_file():
        raise WrongUsage(str(path), "there is no such file", "Give the service's root certificate as PEM")
    try:
        found = _certificates(path.read_text("ascii"))
    except (ValueError, OSError) as error:
        raise WrongUsage(
            str(path), "this is no certificate in PEM", "Give the service's root certificate as PEM"
        ) from error
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)


def _certificates(pem: str) -> list[Any]:
    from cryptography.x509 import load_pem_x509_certificates

    return load_pem_x509_certificates(pem.encode())


def _asked(service: Service, record: bytes) -> Timestamp:
    from http.client import HTTPException
    from urllib.error import HTTPError

    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(record).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = _post(service.url, request.as_bytes())
        at = _verified(answer, record, service.root, nonce=request.nonce)
    except _NotVerified as error:
        raise _unstamped(service, f"its timestamp cannot be accepted ({error})") from error
    except HTTPError as error:
        raise _unstamped(service, f"the timestamp service refused with HTTP {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
        raise _unstamped(service, f"the timestamp service did not answer ({reason})") from error
    return Timestamp(
        record=record_hash(record),
        service=service.url,
        at=at,
        token=base64.b64encode(answer).decode(),
        root=service.root,
    )


def _unstamped(service: Service, what: str) -> NotLocked:
    return NotLocked(
        service.url,
        f"{what}; nothing was written",
        "Try again; or leave out --timestamp now, and add it later with `forethought lock STUDY --timestamp`",
    )


def _post(url: str, query: bytes) -> bytes:
    """What the service answers; it is asked at this address alone, wherever it may send us."""
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    request = Request(url, data=query, headers=headers, method="POST")  # noqa: S310 -- http or https: checked
    with build_opener(Stay).open(request, timeout=SECONDS) as response:
        answer: bytes = response.read(LARGEST_ANSWER + 1)
    if len(answer) > LARGEST_ANSWER:
        raise _NotVerified("the answer is too long for a timestamp")
    return answer


def _verified(answer: bytes, record: bytes, root: str, *, nonce: int | None) -> datetime:
    """The time of an answer that stamps this record by SHA-256, is signed, and goes back to the root."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        response = decode_timestamp_response(with_sorted_certificates(answer))
        if response.status not in (0, 1):
            said = " ".join(" ".join(response.status_string).split())
            raise _NotVerified("the service did not grant it" + (f": {said}" if said else ""))
        builder = VerifierBuilder(nonce=nonce, roots=_certificates(root))
        if response.tst_info.message_imprint.hash_algorithm.dotted_string != _SHA256:
            raise _NotVerified("it is of another hash than SHA-256")
        builder.build().verify_message(response, record)
        at: datetime = response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise _NotVerified(str(error) or "it is no timestamp") from error
    return at
