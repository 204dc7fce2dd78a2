"""Write docs/cli.md from the commands as click has them: ``python docs/make_cli.py``. A test compares."""

import re
from pathlib import Path

from command_tree import ALL_EXITS, Command, Entry, tree

JSON_PAGE = Path(__file__).with_name("json.md")
HEAD = """# Command line

Every command, as `--help` shows it. The product goes to standard output, the talk to standard error; in a pipe a table becomes lines with
tabs. A name is a path, or `s3://BUCKET/KEY` with the key as it is, nothing decoded; `s3://BUCKET/PREFIX/`, with the slash, is all that lies below it. S3 is
reached with the usual AWS settings (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`, ...). "The function's settings" are the variables of
[settings](configuration.md). How it is installed, with completion and manual pages, says [install](install.md).

Generated from `src/s3torrent/cli` by `docs/make_cli.py`.

"""


def plain(text: str) -> str:
    """``text`` as Markdown shows it."""
    return re.sub(r"([\\`*<>|\[\]])", r"\\\1", text)


def code(text: str) -> str:
    """``text`` as code, also within a table."""
    return "`" + text.replace("|", r"\|") + "`"


def json_section(command: Command, page: str) -> str:
    """Anchor of the section that tells what its --json prints, as GitHub makes it of the heading."""
    title = command.path if f"`{command.path} --json`" in page else command.path.rpartition(" ")[0]
    sections = re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", page, re.MULTILINE)
    for heading, text in sections:
        if f"`{title} --json`" in heading + text:
            return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    raise LookupError(f"{JSON_PAGE.name} says nothing of {command.path} --json")


def row(entry: Entry) -> str:
    names = ", ".join(code(name) for name in entry.names)
    value = code(entry.value) if entry.value else ""
    return f"| {' '.join(filter(None, (names, value)))} | {plain(entry.default)} | {plain(entry.help)} |\n"


def section(command: Command, page: str) -> str:
    text = f"## {command.path}\n\n```text\n{command.path} {command.synopsis}\n```\n\n"
    for paragraph in command.paragraphs:
        if isinstance(paragraph, tuple):
            text += "```sh\n" + "".join(f"{line}\n" for line in paragraph) + "```\n\n"
        else:
            text += f"{plain(paragraph)}\n\n"
    if any("--json" in option.names for option in command.options):
        text += f"What `--json` prints: [JSON](json.md#{json_section(command, page)}).\n\n"
    if command.examples:
        text += "```sh\n" + "".join(f"{line}\n" for line in command.examples) + "```\n\n"
    text += "| argument, option | default | meaning |\n|---|---|---|\n"
    return text + "".join(map(row, (*command.arguments, *command.options))) + "\n"


def page() -> str:
    told = JSON_PAGE.read_text()
    top, *commands = tree().walk()
    text = HEAD + "| command | what it does |\n|---|---|\n"
    for command in commands:
        text += f"| [`{command.path}`](#{command.page}) | {plain(command.summary)} |\n"
    text += "\n| exit code | meaning |\n|---|---|\n"
    text += "".join(f"| {number} | {plain(meaning)} |\n" for number, meaning in (ALL_EXITS).items())
    return (text + "\n" + "".join(section(command, told) for command in (top, *commands))).rstrip() + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(page())
