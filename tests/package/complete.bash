# complete.bash COMPLETION LINE - prints what bash offers for the last word of LINE.
source "$1"
compopt() { :; } # there is no line being edited
line=$2
# As readline splits it, where '=' is a word by itself.
read -ra COMP_WORDS <<<"${line//=/ = }"
[[ $line == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_crdtsync
printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d'
