"""OpenSSL's own time-stamping responder behind a small web server, with authorities made for the tests."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Registration, Service, lock

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}

CONFIGURATION = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
certs = {folder}/chain.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""
AUTHORITY = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"
SIGNER = (
    "basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
)


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def issued(folder: Path, name: str, by: str | None, extensions: str) -> None:
    """A key and a certificate, signed by another or by itself."""
    (folder / f"{name}.ext").write_text(extensions)
    openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    openssl(
        folder,
        "req",
        "-new",
        "-key",
        f"{name}.key",
        "-subj",
        f"/CN={name} {folder.name}",
        "-out",
        f"{name}.csr",
    )
    signed = (
        ("-signkey", f"{name}.key")
        if by is None
        else ("-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial")
    )
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-days", "3650", "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip


@dataclass
class Authority:
    """An authority's folder; answers queries as its time-stamping service would."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """What its service answers to a query."""
        (self.folder / "query.tsq").write_bytes(query)
        openssl(
            self.folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "answer.tsr"
        )
        return (self.folder / "answer.tsr").read_bytes()

    def query(self, record: bytes) -> bytes:
        """A query of ours about this record."""
        (self.folder / "record").write_bytes(record)
        openssl(self.folder, "ts", "-query", "-data", "record", "-sha256", "-cert", "-out", "own.tsq")
        return (self.folder / "own.tsq").read_bytes()


def authority(folder: Path) -> Authority:
    folder.mkdir()
    issued(folder, "root", None, AUTHORITY)
    issued(folder, "between", "root", AUTHORITY)
    issued(folder, "signer", "between", SIGNER)
    (folder / "chain.pem").write_text((folder / "between.pem").read_text())
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
    return Authority(folder)


@dataclass
class Web:
    """A web server that answers as it is told; it keeps what it was asked."""

    url: str
    answer: Callable[[bytes], bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority whose root the studies name."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to answer as a service")
    return authority(tmp_path_factory.mktemp("authorities") / "trusted")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody named."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to answer as a service")
    return authority(tmp_path_factory.mktemp("authorities") / "other")


@pytest.fixture
def web(trusted: Authority) -> Iterator[Web]:
    """The trusted authority's service on the web."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append((str(self.headers["Content-Type"]), query))
            body = told.answer(query)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 -- the server's own name

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told = Web(url=f"http://127.0.0.1:{server.server_port}/tsr", answer=trusted.answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def service(web: Web, trusted: Authority) -> Service:
    """The service as a study names it."""
    return Service.named(web.url, trusted.root)


@pytest.fixture
def stamped(folder: StudyFolder, loaded: LoadedProtocol, service: Service) -> Registration:
    """The study, locked with a timestamp."""
    return lock(folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=True, service=service)
