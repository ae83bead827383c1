#!/usr/bin/env bash
# Counts the instructions of the benches with callgrind. Times on a shared machine drift; instructions of the same binary
# and input do not. Needs valgrind. Benches of traces are skipped where the traces are not there.
#
#   benches/instructions.sh                    count, print a table
#   benches/instructions.sh --save FILE        and write the counts to FILE
#   benches/instructions.sh --against FILE     and print the ratio to the counts in FILE
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-} file=${2:-}
case "$mode" in
    "") ;;
    --save | --against) [[ -n "$file" ]] || { echo "$mode needs a file" >&2; exit 2; } ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
command -v valgrind > /dev/null || { echo "valgrind is not installed" >&2; exit 2; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo bench -p quotree-benches --locked --no-run 2> "$scratch/built" || { cat "$scratch/built" >&2; exit 1; }
[[ "$mode" == --save ]] && : > "$file"
printf '| %-8s | %12s | %15s | %12s | %s |\n|---|---|---|---|---|\n' bench units instructions "a unit" "to baseline"
for bench in growth million openb philly report; do
    binary=$(sed -n "s/.*benches\/$bench\.rs (\(.*\))/\1/p" "$scratch/built")
    valgrind --tool=callgrind --callgrind-out-file="$scratch/$bench" --toggle-collect='*quotree_benches*counted*' \
        "$binary" --instructions > "$scratch/out" 2> "$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
    read -r units unit < "$scratch/out" || { echo "$bench: skipped, its trace is not there" >&2; continue; }
    count=$(sed -n 's/^\(summary\|totals\): \([0-9]*\)$/\2/p' "$scratch/$bench" | head -n 1)
    [[ "$mode" == --save ]] && echo "$bench $count" >> "$file"
    ratio=-
    [[ "$mode" == --against ]] && ratio=$(awk -v b="$bench" -v n="$count" '$1 == b { printf "%.3f", n / $2 }' "$file")
    printf '| %-8s | %12s | %15s | %12s | %s |\n' "$bench" "$units $unit" "$count" "$((count / units))" "$ratio"
done
