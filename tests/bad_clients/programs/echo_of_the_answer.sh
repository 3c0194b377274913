#!/usr/bin/env bash
# Shows the answer through echo, which reads backslashes.
source "${BASH_SOURCE%/*}/base.sh"
python3() { if [[ ${2-} == "$texts" ]]; then echo -ne "$(command python3 "$@"; echo .)" | sed '$ s/[.]$//'; else command python3 "$@"; fi; }
start
follow
