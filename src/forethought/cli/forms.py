"""The plan for others: its schema."""

import json

import typer


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (schema,):
        app.command()(command)


def schema() -> None:
    """Print the protocol's JSON Schema, for editors."""
    from forethought.protocol.loading import schema as protocol_schema

    print(json.dumps(protocol_schema(), indent=2, ensure_ascii=False))
