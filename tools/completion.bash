# Completes what ./scons takes in bash: targets, options, boards and ports.
#
#     source tools/completion.bash
#
# Names are read from the project's files: asking ./scons would take half a second for each key.

_viperhttp_project() {
    local command=$1
    [[ $command == */* && -f ${command%/*}/SConstruct ]] && echo "${command%/*}"
}

_viperhttp_targets() { sed -n 's/^goal("[^"]*", "\([^"]*\)".*/\1/p' "$1/SConstruct"; }

_viperhttp_options() {
    sed -n 's/^    \([A-Za-z_]*\): [^=]* = _option(.*/\1=/p' "$1/site_scons/toolkit/options.py"
}

_viperhttp_ports() {
    echo virtual
    find "$1/.viper/boards" -mindepth 1 -maxdepth 1 -type d -printf 'virtual:%f\n' 2>/dev/null
    find /dev -maxdepth 1 \( -name 'ttyUSB*' -o -name 'ttyACM*' \) 2>/dev/null
}

_viperhttp() {
    local project word=$2 words
    project=$(_viperhttp_project "$1") || return
    # In bash, = and : are words of their own: what is completed is behind them.
    local line=${COMP_LINE:0:$COMP_POINT}
    local typed=${line##* }
    compopt -o nospace 2>/dev/null
    case $typed in
        BOARD=*) words=$(find "$project/boards" -name board.toml | sed 's|/board.toml$||; s|.*/||') ;;
        PORT=*) words=$(_viperhttp_ports "$project") ;;
        why=*) words=$(_viperhttp_targets "$project") ;;
        *=*) return ;;
        *) words=$(_viperhttp_targets "$project"; _viperhttp_options "$project") ;;
    esac
    local value=${typed#*=}
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$value")
    # Give back no more than the word that bash replaces.
    local kept=${value%"${word##*[=:]}"}
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}

complete -F _viperhttp ./scons
