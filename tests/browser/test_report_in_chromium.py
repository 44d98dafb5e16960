"""The report in a real Chromium: it asks for nothing, fits a phone, follows the scheme, and prints as it should."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from forethought.reports.rendering import render

CHROMIUM = shutil.which("chromium")
PDFTOTEXT = shutil.which("pdftotext")
BANNER = "SIMULATED DATA: no person took part in this study"
STUDIES = ("real_study", "blinded_study", "simulated_study")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian's package is chromium)"),
]
needs_pdftotext = pytest.mark.skipif(
    PDFTOTEXT is None, reason="no pdftotext here to read a PDF with (Debian's package is poppler-utils)"
)


@pytest.fixture
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The report of the study that the test names, as a file."""
    path = tmp_path / "report.html"
    path.write_text(render(request.getfixturevalue(request.param).report()), encoding="utf-8")
    return path


def chromium(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run Chromium on a file with a profile of its own and no name resolved, so that it reaches nothing."""
    command = [
        CHROMIUM or "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--enable-logging=stderr",
        f"--user-data-dir={path.parent / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        *options,
        path.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def answer(path: Path, expression: str, width: int, *options: str) -> str:
    """What a JavaScript expression says of the page's `window`, in a frame of that width within another page.

    In a frame, because a window of Chromium's own is never narrower than 500 pixels.
    """
    asking = path.with_name("asking.html")
    asking.write_text(
        f"""<iframe src="{path.name}" style="border: 0; width: {width}px; height: 900px"></iframe>
        <script>onload = () => {{
            const window = document.querySelector("iframe").contentWindow;
            document.title = {expression};
        }}</script>"""
    )
    found = re.search(
        r"<title>(.*?)</title>",
        chromium(asking, "--dump-dom", "--allow-file-access-from-files", *options).stdout,
    )
    assert found is not None
    return found[1]


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """A server on this machine: its port, and every path that was asked of it."""
    paths: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, paths
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("page", STUDIES, indirect=True)
def test_the_browser_has_nothing_to_complain_of(page: Path) -> None:
    done = chromium(page, "--dump-dom")
    assert "</html>" in done.stdout
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []


@pytest.mark.parametrize("page", ["simulated_study"], indirect=True)
@pytest.mark.parametrize(("policy", "reached"), [(True, False), (False, True)])
def test_what_is_planted_in_the_page_cannot_reach_a_server(
    page: Path, asked: tuple[int, list[str]], policy: bool, reached: bool
) -> None:
    port, paths = asked
    planted = "".join(
        template.format(f"http://127.0.0.1:{port}/{name}")
        for name, template in (
            ("picture", '<img src="{}">'),
            ("style", '<link rel="stylesheet" href="{}">'),
            ("ground", '<p style="background: url({})">x</p>'),
            ("frame", '<iframe src="{}"></iframe>'),
            ("script", '<script src="{}"></script>'),
        )
    )
    html = page.read_text(encoding="utf-8").replace("</main>", f"{planted}</main>")
    page.write_text(
        html if policy else html.replace("Content-Security-Policy", "X-Nothing"), encoding="utf-8"
    )
    chromium(page, "--dump-dom", "--virtual-time-budget=2000")
    assert bool(paths) is reached


@pytest.mark.parametrize("page", STUDIES, indirect=True)
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_never_scrolls_sideways(page: Path, width: int) -> None:
    seen = answer(page, "[window.innerWidth, window.document.documentElement.scrollWidth]", width)
    inner, scrolled = map(int, seen.split(","))
    assert inner == width
    assert scrolled <= inner


@pytest.mark.parametrize("page", ["simulated_study"], indirect=True)
@pytest.mark.parametrize(("scheme", "light"), [(0, False), (1, True)])
def test_page_and_figures_follow_the_colour_scheme(page: Path, scheme: int, light: bool) -> None:
    colours = answer(
        page,
        "[window.getComputedStyle(window.document.documentElement).backgroundColor,"
        " window.getComputedStyle(window.document.querySelector('svg text')).fill].join(';')",
        1280,
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    ground, words = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours.split(";"))
    assert (ground > words) is light
    assert abs(ground - words) > 3 * 100


@pytest.fixture
def printed(page: Path) -> list[str]:
    """Each page of the report on paper, as pdftotext's boxes of words."""
    pdf, words = page.with_suffix(".pdf"), page.with_suffix(".words")
    chromium(page, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    subprocess.run([PDFTOTEXT or "pdftotext", "-bbox", pdf, words], check=True, capture_output=True)
    return re.findall(r"<page .*?</page>", words.read_text(encoding="utf-8"), re.DOTALL)


def words_of(page: str) -> list[tuple[str, float, float]]:
    """Each word of a printed page with its upper and lower edge."""
    found = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">(.*?)</word>', page)
    return [(word, float(top), float(bottom)) for top, bottom, word in found]


@needs_pdftotext
@pytest.mark.parametrize("page", ["simulated_study"], indirect=True)
def test_every_printed_page_says_above_all_else_that_the_data_are_simulated(printed: list[str]) -> None:
    assert len(printed) > 5
    for page in printed:
        words = words_of(page)
        banner, rest = words[:9], words[9:]
        assert " ".join(word for word, *_ in banner) == BANNER
        assert max(bottom for *_, bottom in banner) < min(top for _, top, _ in rest)


@needs_pdftotext
@pytest.mark.parametrize("page", ["simulated_study"], indirect=True)
def test_no_printed_page_is_all_but_empty_and_no_line_leaves_the_paper(printed: list[str]) -> None:
    for page in printed:
        ((width, height),) = re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', page)
        assert len(words_of(page)) > 25
        assert max(map(float, re.findall(r'xMax="([\d.]+)"', page))) < float(width) - 30
        assert max(map(float, re.findall(r'yMax="([\d.]+)"', page))) < float(height) - 14


@needs_pdftotext
@pytest.mark.parametrize("page", ["real_study", "blinded_study"], indirect=True)
def test_a_study_with_real_data_prints_no_such_words(printed: list[str]) -> None:
    assert not [page for page in printed if "SIMULATED" in page]
