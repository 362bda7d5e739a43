#!/usr/bin/env bash
# Compare a base revision with this checkout, both computed on this machine, and judge the difference.
#
#   .github/compare.sh BASE [HTML]   BASE: a branch, tag or commit, such as origin/main
#
# The Markdown goes to standard output, a page for people into the file HTML, everything else to standard
# error. The exit code is 1 where the verdict is fail, and where there is none because something broke. A
# warning exits with 0: "these cases cannot tell" is said of many good changes on a small test side, and a
# check that is red for no fault of theirs is one that people learn to pass over.
#
# The results that git holds were computed on another machine, so they are of no use here: BASE is run in a
# clone of its own, what it gives is committed there, and that throw-away commit is compared with the
# workspace. The clone writes into this checkout's DVC cache, where its cases are read from; what both sides
# have in common is computed once. BASE gets an environment of its own only where its requirements.lock
# differs.
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 ]]; then
  echo "usage: $0 BASE [HTML]" >&2
  exit 2
fi
html=${2:+$(realpath "$2")}
cd "$(git rev-parse --show-toplevel)"
export DVC_NO_ANALYTICS=1 PATH="$PWD/.venv/bin:$PATH"

if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
  echo "error: this clone is shallow, and a clone of it would lack its history; run" \
    "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*', then name BASE as origin/<branch>" >&2
  exit 1
fi
if ! base=$(git rev-parse --quiet --verify "$1^{commit}"); then
  echo "error: no revision '$1' here; name a branch of the remote as origin/<branch>" >&2
  exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

strict="import json, sys; json.load(open(sys.argv[1], encoding='utf-8'), parse_constant=sys.exit)"

# `dvc metrics diff` passes over a broken metrics file and exits with 0.
check_metrics() {
  local file found=0
  for file in "$1"/reports/*/metrics.json; do
    [[ -e $file ]] || continue
    python -c "$strict" "$file" 2>/dev/null || { echo "error: $file is not valid JSON" >&2; return 1; }
    found=1
  done
  [[ $found -eq 1 ]] || { echo "error: $1 has no reports/*/metrics.json" >&2; return 1; }
}

echo "== base ${base:0:10}" >&2
make env </dev/null >&2
git clone --quiet --no-checkout . "$scratch/base"
git -C "$scratch/base" checkout --quiet --detach "$base"
cache=$(dvc cache dir)
(cd "$scratch/base" && dvc config --quiet --local cache.dir "$cache")
if cmp --silent requirements.lock "$scratch/base/requirements.lock"; then
  (cd "$scratch/base" && dvc repro </dev/null >&2)
else
  make -C "$scratch/base" repro </dev/null >&2
fi

echo "== head $(git rev-parse --short=10 HEAD)" >&2
make repro </dev/null >&2

check_metrics "$scratch/base"
check_metrics .

git -C "$scratch/base" add -- dvc.lock reports
git -C "$scratch/base" -c user.name=compare -c user.email=compare@localhost \
  -c commit.gpgsign=false -c core.hooksPath=/dev/null \
  commit --quiet --no-verify --allow-empty --message "results of $base, computed here"
git fetch --quiet --no-tags "$scratch/base" HEAD
computed=$(git rev-parse FETCH_HEAD)

table=$(dvc metrics diff --md "$computed")
echo "### Metrics: ${base:0:10} → $(git rev-parse --short=10 HEAD)"
echo
if [[ $(grep -c "^|" <<<"$table") -gt 2 ]]; then  # more than the head of a table
  echo "<details><summary><code>dvc metrics diff</code></summary>"
  echo
  echo "${table//$computed/${base:0:10}}"
  echo
  echo "</details>"
else
  echo "No metric changed."
fi
echo

code=0
seg compare "$computed" --md ${html:+--html "$html"} >"$scratch/verdict" 2>"$scratch/problem" || code=$?
cat "$scratch/problem" >&2
if [[ -s $scratch/verdict ]]; then
  sed "s/${computed:0:7}/${base:0:7}/g" "$scratch/verdict"
else  # the code is 3, or that of a command that broke
  code=3
  echo "### No verdict"
  echo
  sed 's/^/    /' "$scratch/problem"
fi
if [[ -n $html && -e $html ]]; then
  sed -i "s/${computed:0:7}/${base:0:7}/g" "$html"
fi
echo
echo "Both sides were computed on the same machine ($(uname -m), $(getconf _NPROCESSORS_ONLN) cores)."
[[ $code -eq 0 || $code -eq 2 ]]
