"""Content placed in a page: one self-contained HTML file, without script, network or chance."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from forethought.reports.content import Report, Section
from forethought.reports.figures import draw

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render(report: Report) -> str:
    """The report as HTML. The same content gives the same bytes; the `run` section alone bears a time."""
    template = _environment().get_template("report.html.j2")
    css = Markup(stylesheet())  # noqa: S704 (a file of this package)
    return template.render(report=report, css=css, policy=POLICY, figures=_figures(report))


def stylesheet() -> str:
    """The page's CSS."""
    return _text("static/report.css")


def _figures(report: Report) -> dict[str, Markup]:
    """Every figure's SVG by the figure's id."""
    sections: tuple[Section, ...] = report.sections
    figures = (figure for section in sections for figure in section.figures)
    return {figure.id: Markup(draw(figure)) for figure in figures}  # noqa: S704 (`draw` escapes all words)


@cache
def _environment() -> Environment:
    """Templates that escape all that is not marked safe, and refuse a name that is not there."""
    return Environment(
        loader=FunctionLoader(lambda name: _text(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _text(name: str) -> str:
    return files("forethought.reports").joinpath(name).read_text(encoding="utf-8")
