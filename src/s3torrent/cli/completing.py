"""What a name on the command line is completed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Names of files, which the shell itself looks up. S3 is never asked: a TAB uses no network."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a TAB needs it

    return [] if incomplete.startswith("s3:") else [CompletionItem(incomplete, type="file")]
