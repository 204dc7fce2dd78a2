"""``s3torrent completion``: the script that has a shell complete our command."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from s3torrent.cli.main import COMPLETE, NAME

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, /, *, shell: str) -> None:
    """Print the script that has SHELL complete commands, options, choices and names of files.

    For bash (4.4 or newer, with the package bash-completion), zsh and fish:

    \b
    mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc ~/.config/fish/completions
    s3torrent completion bash > ~/.local/share/bash-completion/completions/s3torrent
    s3torrent completion zsh > ~/.zfunc/_s3torrent
    s3torrent completion fish > ~/.config/fish/completions/s3torrent.fish

    Then start a new shell. zsh looks there if ~/.zshrc says so:

    \b
    fpath=(~/.zfunc $fpath)
    autoload -U compinit && compinit

    Without the package, ~/.bashrc may read it at each start: eval "$(s3torrent completion bash)". Completing
    reads no content and asks no server; names in S3 are not completed.
    """  # noqa: D301 - click's mark of lines that stay as they are
    script = get_completion_class(shell)
    assert script, shell
    made = script(context.find_root().command, {}, NAME, COMPLETE)
    click.echo(ShellComplete.source(made), nl=False)  # its own for bash would start a bash to see its version
