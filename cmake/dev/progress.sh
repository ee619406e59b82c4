# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How far a build is, and how much longer it takes: one line that is drawn anew on a terminal, a line now and then in a
# log. Sourced by ../../dev where it builds; needs nothing that a bare Debian lacks.

progress_log_seconds=10

# Runs a build by ninja and shows on stderr how far it is. Returns what it returns.
with_progress() { # name command...
  local name=$1 terminal=no
  shift
  if [[ -t 2 ]]; then terminal=yes; fi
  # Steps done and steps in all, in a form that no compiler prints.
  NINJA_STATUS='@progress %f %t ' "$@" 2>&1 | show_progress "$name" "$terminal" >&2
}

spoken_seconds() { # seconds
  if (($1 >= 90)); then
    printf '%d min' $((($1 + 30) / 60))
  else
    printf '%d s' $(($1 > 0 ? $1 : 1))
  fi
}

# Steps at the beginning are not like those at the end, so the pace of the last part counts as much as that of the whole.
time_left() { # finished total seconds, and the same at a point behind
  local finished=$1 total=$2 passed=$3 behind=$4 passed_behind=$5 left recent
  left=$(((total - finished) * passed / finished))
  if ((finished > behind && passed > passed_behind)); then
    recent=$(((total - finished) * (passed - passed_behind) / (finished - behind)))
    left=$(((left + recent) / 2))
  fi
  printf '%s' "$left"
}

# Hands on what a build prints, without the lines of the steps that went well; says instead, how far it is.
show_progress() { # name, whether the output is a terminal: yes | no
  local name=$1 terminal=$2 line text started=$SECONDS finished total passed drawn='' told=$SECONDS
  local -a history=()
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ ! $line =~ ^@progress\ ([0-9]+)\ ([0-9]+)\  ]]; then
      [[ -z $drawn ]] || printf '\r\e[K'
      drawn=''
      printf '%s\n' "$line"
      continue
    fi
    finished=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]} passed=$((SECONDS - started))
    history+=("$passed")
    [[ $terminal == yes ]] || ((SECONDS - told >= progress_log_seconds)) || continue
    told=$SECONDS
    text="$name: $((finished * 100 / total)) % ($finished of $total steps)"
    # Too early it would be a guess.
    if ((passed >= 3 && finished < total)); then
      text+=", about $(spoken_seconds "$(time_left "$finished" "$total" "$passed" \
        $((finished - ${#history[@]} / 4)) "${history[${#history[@]} - 1 - ${#history[@]} / 4]}")") left"
    fi
    if [[ $terminal == yes ]]; then
      printf '\r\e[K%s' "$text"
      drawn=yes
    else
      printf '%s\n' "$text"
    fi
  done
  [[ -z $drawn ]] || printf '\r\e[K'
}
