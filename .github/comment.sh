#!/usr/bin/env bash
# Write a Markdown file into a pull request's one comment on the comparison: the one of the last run where
# there is one, else a new one.
#
#   GH_REPO=owner/name PULL_REQUEST=7 .github/comment.sh FILE
#
# An empty file says that the comparison broke off, so that no old verdict stands as if it were new.
set -euo pipefail
export LC_ALL=C.UTF-8  # letters are counted, not bytes

marker="<!-- seg compare -->"
longest=60000  # letters; GitHub takes 65,536
text=$(<"$1")
if [[ -z $text ]]; then
  text="### No verdict"$'\n\n'"The comparison broke off; the log of the run says why."
elif [[ ${#text} -gt $longest ]]; then
  text="${text:0:$longest}"$'\n\n</details>\n\n'"… and more, in the run's artifact."
fi
if [[ $text != *"$marker"* ]]; then
  text="$marker"$'\n\n'"$text"
fi

comments="repos/$GH_REPO/issues/$PULL_REQUEST/comments"
mine=".[] | select(.user.login == \"github-actions[bot]\" and (.body | contains(\"$marker\"))) | .id"
found=$(gh api --paginate "$comments" --jq "$mine")
body=$(mktemp)  # an argument could be too long for the system
trap 'rm -f "$body"' EXIT
printf '%s' "$text" >"$body"
if [[ -n $found ]]; then
  gh api --silent --method PATCH "repos/$GH_REPO/issues/comments/${found%%$'\n'*}" --field body=@"$body"
else
  gh api --silent --method POST "$comments" --field body=@"$body"
fi
