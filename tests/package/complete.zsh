# complete.zsh COMPLETION LINE - prints what zsh offers for the last word of LINE: an interactive
# shell on a pseudo terminal, in which compadd prints the matches as well.
if [[ $1 == --inner ]]; then
    autoload -U compinit
    compinit -u -C -d ~/.zcompdump # which the first one makes
    completion=$2
    complete_it() { source $completion }
    compdef complete_it crdtsync
    compadd() {
        [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "$@"; return }
        local -a hits
        builtin compadd -A hits "$@"
        (( $#hits )) && print -rl -- $hits
        builtin compadd "$@"
    }
    begin() { print; print BEGIN }
    finish() { print END }
    compprefuncs=(begin)
    comppostfuncs=(finish)
    bindkey '^I' complete-word
    print READY
    return
fi
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT=; source ${(q)0:A} --inner ${(q)1:A}"
while zpty -r shell line; do [[ $line == READY* ]] && break; done
zpty -w -n shell $2$'\t'
while zpty -r shell line; do
    line=${line%$'\r\n'}
    [[ $line == END ]] && break
    # The short options are not asked for.
    [[ $inside && $line != -? ]] && print -r -- $line
    [[ $line == *BEGIN ]] && inside=1
done
zpty -d shell
