#!/usr/bin/env bash
# Compare the metrics of a base revision with those of this checkout, both computed on this machine.
#
#   .github/compare.sh BASE        BASE: a branch, tag or commit, such as origin/main
#
# The Markdown goes to standard output, everything else to standard error. The metrics that git holds
# were computed on another machine, so they are of no use here: BASE is run in a clone of its own, what
# it gives is committed there, and that throw-away commit is compared with the workspace. BASE gets an
# environment of its own only where its requirements.lock differs.
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: $0 BASE" >&2
  exit 2
fi
cd "$(git rev-parse --show-toplevel)"
export DVC_NO_ANALYTICS=1 PATH="$PWD/.venv/bin:$PATH"

if ! base=$(git rev-parse --quiet --verify "$1^{commit}"); then
  echo "error: no revision '$1' here; a shallow clone needs 'git fetch --unshallow'" >&2
  exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# `dvc metrics diff` passes over a broken metrics file and exits with 0.
check_metrics() {
  local file found=0
  for file in "$1"/reports/*/metrics.json; do
    [[ -e $file ]] || continue
    python -m json.tool "$file" >/dev/null || { echo "error: $file is not valid JSON" >&2; return 1; }
    found=1
  done
  [[ $found -eq 1 ]] || { echo "error: $1 has no reports/*/metrics.json" >&2; return 1; }
}

echo "== base ${base:0:10}" >&2
git clone --quiet --no-checkout . "$scratch/base"
git -C "$scratch/base" checkout --quiet --detach "$base"
make env </dev/null >&2
if cmp --silent requirements.lock "$scratch/base/requirements.lock"; then
  (cd "$scratch/base" && dvc repro </dev/null >&2)
else
  make -C "$scratch/base" repro </dev/null >&2
fi

echo "== head $(git rev-parse --short=10 HEAD)" >&2
make repro </dev/null >&2

check_metrics "$scratch/base"
check_metrics .

git -C "$scratch/base" add -- reports
git -C "$scratch/base" -c user.name=compare -c user.email=compare@localhost \
  commit --quiet --no-verify --allow-empty --message "metrics of $base, computed here"
git fetch --quiet --no-tags "$scratch/base" HEAD
computed=$(git rev-parse FETCH_HEAD)

table=$(dvc metrics diff --md "$computed")
echo "### Metrics: ${base:0:10} → $(git rev-parse --short=10 HEAD)"
echo
if [[ $(grep -c "^|" <<<"$table") -gt 2 ]]; then  # more than the head of a table
  echo "${table//$computed/${base:0:10}}"
else
  echo "No metric changed."
fi
echo
echo "Both sides were computed on the same machine ($(uname -m), $(getconf _NPROCESSORS_ONLN) cores)."
