"""The plan for others: the forms of registries, and the reference of the protocol."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from forethought.cli.output import AsJson, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (export, schema):
        app.command()(command)


def export(
    study: Annotated[Path, typer.Argument(help="A study's folder, or a protocol.yaml.", metavar="STUDY")],
    form: Annotated[
        Literal["aspredicted", "osf"],
        typer.Option("--form", help="AsPredicted, or OSF Preregistration (version 3)."),
    ],
    as_json: AsJson = False,
) -> None:
    """Print the plan as a registry's form asks for it, ready to paste; --json is what OSF's API takes."""
    from forethought.steps.export import export as export_step

    filled = export_step(study, form)
    for warning in filled.warnings:
        print(warning, file=sys.stderr)
    value = {
        "form": filled.form,
        "schema": filled.schema,
        "schema_version": filled.schema_version,
        "warnings": filled.warnings,
        "payload": filled.payload,
    }
    show("export", value, [filled.text], as_json=as_json)


def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference of the protocol for people instead.")
    ] = False,
) -> None:
    """Print the protocol's JSON Schema, for editors."""
    if markdown:
        from forethought.protocol.reference import reference

        print(reference(), end="")
        return
    from forethought.protocol.loading import schema as protocol_schema

    print(json.dumps(protocol_schema(), indent=2, ensure_ascii=False))
