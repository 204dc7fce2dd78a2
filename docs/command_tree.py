"""The commands as click has them, in the words that make_cli.py and make_man.py write down."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from s3torrent.cli.main import BUG_EXIT, EXITS, INTERRUPTED_EXIT, NAME, SUMMARIES, cli

DEFAULT = re.compile(r"\s+\[default(?: (?P<when>[^:]+))?: (?P<value>.+)\]$")
"""How a help text of ours says a default that click does not know."""
ALL_EXITS = EXITS | {
    BUG_EXIT: "a defect of s3torrent's own; S3TORRENT_DEBUG=1 shows where",
    INTERRUPTED_EXIT: "interrupted by Ctrl-C",
}
README = Path(__file__).parents[1] / "README.md"


@dataclass(frozen=True)
class Entry:
    """An argument or an option: ``names`` is empty for an argument, ``value`` for a flag."""

    names: tuple[str, ...]
    value: str
    default: str
    help: str


@dataclass(frozen=True)
class Command:
    """``paragraphs`` of its help; one that is a tuple is of lines that stay as they are."""

    path: str
    summary: str
    synopsis: str
    paragraphs: tuple[str | tuple[str, ...], ...]
    arguments: tuple[Entry, ...]
    options: tuple[Entry, ...]
    commands: tuple["Command", ...]

    def walk(self) -> Iterator["Command"]:
        yield self
        for command in self.commands:
            yield from command.walk()

    @property
    def page(self) -> str:
        """``s3torrent-catalog-build``."""
        return self.path.replace(" ", "-")

    @property
    def text(self) -> str:
        """All that it says of itself."""
        flat = (part if isinstance(part, str) else " ".join(part) for part in self.paragraphs)
        return " ".join([*flat, *(entry.help for entry in (*self.arguments, *self.options))])

    @property
    def examples(self) -> tuple[str, ...]:
        """Those of the README, which a test runs."""
        blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        return tuple(line for line in lines if f"{line} ".startswith(f"{self.path} ") and self.path != NAME)


def tree() -> Command:
    """The whole of it."""
    return _command(
        click.Context(cli, info_name=NAME, **cli.context_settings), "Make, read and check .torrent files."
    )


def _command(context: click.Context, summary: str) -> Command:
    command = context.command
    parameters = [(parameter, _entry(parameter, context)) for parameter in command.get_params(context)]
    return Command(
        path=context.command_path,
        summary=summary,
        synopsis=" ".join(command.collect_usage_pieces(context)),
        paragraphs=tuple(_paragraphs(command.help or "")),
        arguments=tuple(entry for parameter, entry in parameters if isinstance(parameter, click.Argument)),
        options=tuple(entry for parameter, entry in parameters if isinstance(parameter, click.Option)),
        commands=tuple(_commands(context)),
    )


def _commands(context: click.Context) -> Iterator[Command]:
    if not isinstance(context.command, click.Group):
        return
    summaries = SUMMARIES if context.command is cli else {}
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        assert command, name
        line = summaries.get(name) or command.get_short_help_str(200)
        yield _command(click.Context(command, info_name=name, parent=context), line)


def _paragraphs(text: str) -> Iterator[str | tuple[str, ...]]:
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        mark, _, kept = paragraph.partition("\n")
        yield tuple(kept.splitlines()) if mark == "\b" else " ".join(paragraph.split())


def _entry(parameter: click.Parameter, context: click.Context) -> Entry:
    """With what click says beside the help: the choices, the range, and whether it repeats."""
    metavar, kind = parameter.make_metavar(context), parameter.type
    if isinstance(parameter, click.Argument):
        choices = f" One of {', '.join(map(str, kind.choices))}." if isinstance(kind, click.Choice) else ""
        text = ("Required." if parameter.required else "Optional.") + choices
        value = re.sub(r"^\[(.+)\](?:\.\.\.)?$|\.\.\.$", r"\1", metavar)
        return Entry((), value, "", text + _repeats(parameter.nargs == -1))
    assert isinstance(parameter, click.Option)
    default = parameter.get_help_extra(context).get("default", "")
    text = parameter.help or ""
    found = DEFAULT.search(text)
    if found:
        text = text[: found.start()]
        default = f"{found['when']}: {found['value']}" if found["when"] else found["value"]
    text += _range(kind) + " Required." * parameter.required + _repeats(parameter.multiple)
    value = "" if parameter.is_flag else metavar
    return Entry((*parameter.opts, *parameter.secondary_opts), value, default, text)


def _repeats(repeats: bool) -> str:  # noqa: FBT001 - one word
    return " May be repeated." * repeats


def _range(kind: click.ParamType) -> str:
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is None:
        return ""
    return f" {low:,} or more." if high is None else f" {low:,} to {high:,}."
