/** Scripts that shells load. All ask `dsbuild completion --words` what may come next, and take one word a line. */
export const completionScripts = {
  bash: `# In ~/.bashrc: source <(dsbuild completion bash)
_dsbuild() {
  local IFS=$'\\n'
  local words
  words=$(dsbuild completion --words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _dsbuild dsbuild
`,
  zsh: `#compdef dsbuild
# In ~/.zshrc, after compinit: source <(dsbuild completion zsh)
_dsbuild() {
  local -a found
  found=("\${(@f)$(dsbuild completion --words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=(\${found:#})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _dsbuild dsbuild
`,
  fish: `# In ~/.config/fish/config.fish: dsbuild completion fish | source
function __dsbuild_words
  set -l words (commandline -opc) (commandline -ct)
  dsbuild completion --words -- $words[2..-1] 2>/dev/null
end
complete -c dsbuild -a '(__dsbuild_words)'
`,
} as const;
