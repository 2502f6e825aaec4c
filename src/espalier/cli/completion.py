"""``espalier completion bash|zsh|fish``: the script by which a shell completes words; it asks ``espalier complete``."""

from __future__ import annotations

from collections.abc import Sequence

from espalier.cli.arguments import Parser

_HELP = """\
espalier completion bash|zsh|fish

Prints the script by which your shell completes commands, flags, groups, options, keys, values and run directories:

  bash    echo 'eval "$(espalier completion bash)"' >> ~/.bashrc
  zsh     echo 'eval "$(espalier completion zsh)"' >> ~/.zshrc
  fish    espalier completion fish > ~/.config/fish/completions/espalier.fish"""

_BASH = """\
_espalier() {
    local IFS=$'\\n' line=${COMP_LINE:0:$COMP_POINT}
    local word=${line##* }
    COMPREPLY=($("$1" complete "$line" 2>/dev/null))
    # bash cuts words at "=" and puts in what stands behind the last one
    [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%=*}="}")
    [[ ${COMPREPLY[0]} == *[=./] ]] && compopt -o nospace
    return 0
}
complete -o default -o nosort -F _espalier espalier"""

_ZSH = """\
_espalier() {
    local -a found whole
    found=("${(@f)$("${words[1]}" complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    whole=(${found:#*[=./]})
    compadd -Q -- $whole
    compadd -Q -S '' -- ${found:|whole}
}
compdef _espalier espalier"""

_FISH = """\
complete -c espalier -a '(espalier complete (commandline -cp | string collect) 2>/dev/null)'"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def main(words: Sequence[str]) -> int:
    """Print a script; 0."""
    parser = Parser("espalier completion")
    parser.add_argument("shell", nargs="?", choices=sorted(_SCRIPTS))
    given = parser.read(words)
    print(_SCRIPTS[given.shell] if given.shell and not given.help else _HELP)
    return 0
