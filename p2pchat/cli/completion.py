"""`p2pchat completion`: what teaches a shell to ask at every Tab; `complete.py` has the answers."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from p2pchat.cli import complete, options, say
from p2pchat.cli.exit_codes import ExitCode

HELP = """\
Print a script that teaches a shell to complete verbs, options, topics and profiles. SHELL is bash, zsh or fish.

\b
bash, at the end of ~/.bashrc:    eval "$(p2pchat completion bash)"
zsh, behind compinit in ~/.zshrc: eval "$(p2pchat completion zsh)"
fish, once:  p2pchat completion fish > ~/.config/fish/completions/p2pchat.fish

Example: p2pchat completion bash
"""

BASH = """\
# bash completion of p2pchat; bash 3.2 will do
_p2pchat() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :path ]]; then
            compopt -o default 2>/dev/null  # if nothing else fits
        else
            COMPREPLY+=("${line%%$'\\t'*}")
        fi
    done < <("${1/#~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$2" 2>/dev/null)
}
complete -F _p2pchat p2pchat
"""

ZSH = """\
#compdef p2pchat
_p2pchat() {
    local line is_path
    local -a found
    for line in "${(@f)$("${words[1]/#\\~/$HOME}" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
        if [[ $line == :path ]]; then
            is_path=1
        elif [[ -n $line ]]; then
            found+=("${${line%%$'\\t'*}//:/\\\\:}:${${line#*$'\\t'}/#%$line/}")
        fi
    done
    local failed=1
    (( $#found )) && _describe p2pchat found && failed=0
    [[ -n $is_path ]] && _files && failed=0
    return failed
}
if [[ $funcstack[1] == _p2pchat ]]; then  # autoloaded from $fpath, for a first Tab
    _p2pchat "$@"
else
    compdef _p2pchat p2pchat
fi
"""

FISH = """\
# fish completion of p2pchat
function __p2pchat_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' "$HOME" -- $words[1])
    for line in (command $program __complete $words[2..] "$current" 2>/dev/null)
        if test "$line" = :path
            __fish_complete_path "$current"
        else
            printf '%s\\n' $line
        end
    end
end
complete -c p2pchat -f -a '(__p2pchat_complete)'
"""

SCRIPTS = dict(zip(complete.SHELLS, (BASH, ZSH, FISH), strict=True))

app: options.Application = options.application()


@app.command(name="completion", help=HELP)
def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish", show_default=False)],
) -> int:
    """Print the script for `shell`."""
    if script := SCRIPTS.get(shell):
        return say.text(script)
    near = difflib.get_close_matches(shell, SCRIPTS, n=1)
    say.error(
        f"no completion for {shell}",
        hint=f"did you mean `p2pchat completion {near[0]}`?" if near else f"there is {', '.join(SCRIPTS)}",
    )
    return ExitCode.USAGE
