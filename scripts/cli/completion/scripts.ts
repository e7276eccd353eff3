// Each asks `meshboot complete -- WORDS` for what can stand in place of the last word: a line each, with what it is behind a tab;
// `:files` alone where it is a file.

const BASH = String.raw`# meshboot in bash: source <(meshboot completion bash)
_meshboot() {
  local line lines
  COMPREPLY=()
  lines=$(meshboot complete -- "${"$"}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  if [ "$lines" = :files ]; then
    compopt -o default
    return
  fi
  while IFS= read -r line; do
    [ -z "$line" ] || COMPREPLY+=("${"$"}{line%%$'\t'*}")
  done <<<"$lines"
}
complete -F _meshboot meshboot
`;

const ZSH = String.raw`#compdef meshboot
# meshboot in zsh: source <(meshboot completion zsh), behind compinit
_meshboot() {
  local -a lines
  lines=("${"$"}{(@f)$(meshboot complete -- "${"$"}{(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "$lines[1]" = :files ]]; then
    _files
    return
  fi
  lines=("${"$"}{(@)lines/$'\t'/:}")
  _describe meshboot lines
}
compdef _meshboot meshboot
`;

const FISH = String.raw`# meshboot in fish: meshboot completion fish | source
function __meshboot_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (meshboot complete -- $words[2..-1] 2>/dev/null)
  if test "$lines" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $lines
  end
end
complete -c meshboot -f -a '(__meshboot_complete)'
`;

/** What makes a shell complete the command line. */
export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
