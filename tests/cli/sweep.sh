#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# launch/sweep: trials, the table, going on, failures, and what it would hand to Slurm.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "skipped: no python3" && exit 77; }
export CNN_TRAIN=$build/cnn_train
sweep() { timeout $limit "$source/launch/sweep" "$@"; }
network=$source/tests/cli/networks/dropout.json
base=(--model "$network" --batch-size 100 --epochs 2 --optimizer sgd)
grid=(--grid lr=0.1,1e-5 --grid momentum=0,0.9 --seeds 1,2 --jobs 2)

echo "--- a grid"
ends "8 trials" 0 sweep "${grid[@]}" -o grid -- "${base[@]}"
same "eight runs" 8 "$(ls -d grid/*/final.h5 | wc -l)"
same "a row for each setting" 5 "$(wc -l <grid/sweep.csv)"
same "a row for each trial" 9 "$(wc -l <grid/trials.csv)"
has "the table: the larger rate first" '^0\.1 +0(\.9)? +2 +[0-9.]+ ' "$(grep -A1 '^lr ' log)"
has "with deviations and the test" '^lr +momentum +trials +val_loss +\+- +test_accuracy +\+- +test_loss' "$(cat log)"
train 1 --config "grid/lr=0.1,momentum=0.9,seed=2/config.json" --out alone
same "a trial is that run" "$(digest alone)" "$(digest "grid/lr=0.1,momentum=0.9,seed=2")"
found=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i } $1 == 0.1 && $2 == 0.9 { print $c["val_loss"], $c["val_loss_deviation"] }' grid/sweep.csv)
wanted=$(for s in 1 2; do awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "val_loss") c = i; next }
    !n++ || $c < least { least = $c } END { printf "%.17g\n", least }' "grid/lr=0.1,momentum=0.9,seed=$s/metrics.csv"; done |
    awk '{ v[NR] = $1 } END { m = (v[1] + v[2]) / 2; d = v[1] > v[2] ? v[1] - v[2] : v[2] - v[1]; printf "%.6g %.6g\n", m, d / sqrt(2) }')
same "mean and deviation" "$wanted" "$found"

echo "--- again, on, and by another metric"
before=$(stat -c %Y.%n grid/*/final.h5)
ends "nothing is left" 0 sweep "${grid[@]}" -o grid -- "${base[@]}"
same "finished trials are left alone" "$before" "$(stat -c %Y.%n grid/*/final.h5)"
rm -r "grid/lr=0.1,momentum=0,seed=1"
ends "a trial is missing" 0 sweep "${grid[@]}" -o grid -- "${base[@]}"
same "only it is run" 1 "$(grep -c ': begins' log)"
ends "a wider grid" 0 sweep --grid lr=0.1,1e-5,0.01 --grid momentum=0 --seeds 1 -o grid -- "${base[@]}"
same "one more trial" 1 "$(grep -c ': begins' log)"
ends "--report by accuracy" 0 sweep --report --metric val_accuracy -o grid
has "sorts by it" '^lr +momentum +trials +val_accuracy' "$(cat log)"
same "and knows all trials" 6 "$(grep -cE '^(0.1|1e-5|0.01) |^lr' log)"
mkdir -p errors/{a,b}
echo '{"options": [], "trials": [{"name": "a", "setting": {"lr": "1"}, "seed": null}, {"name": "b", "setting": {"lr": "2"}, "seed": null}]}' >errors/sweep.json
printf 'epoch,val_ece\n1,0.2\n2,0.3\n' >errors/a/metrics.csv
printf 'epoch,val_ece\n1,0.1\n2,0.4\n' >errors/b/metrics.csv
ends "--report by a calibration error" 0 sweep --report --metric val_ece -o errors
same "the smallest is the best" "2 0/1 0.1 1 0/1 0.2" "$(sed 1d log | xargs)"
ends "an unknown metric" 1 sweep --report --metric f1 -o grid
has "which is said" 'sweep: error: --metric f1: there are .*val_loss' "$(cat err)"
ends "other options in the same folder" 1 sweep --grid lr=1 -o grid -- "${base[@]}" --label-smoothing 0.1
has "are refused" 'grid was begun with other options: -- --model' "$(cat err)"

echo "--- drawn settings, two ranks, failures"
random=(--random 3 --range lr=1e-4:1e-1:log --grid nesterov=true,false --range decay-epochs=1:5:int -o random)
ends "three draws on two ranks" 0 sweep "${random[@]}" --ranks 2 -- "${base[@]}" --momentum 0.9 --schedule step
same "three runs" 3 "$(ls -d random/*/final.h5 | wc -l)"
names=$(cd random && ls -d */)
ends "four draws" 0 sweep --random 4 "${random[@]:2}" --dry-run -- "${base[@]}" --momentum 0.9 --schedule step
same "keep the three before" 1 "$(grep -c cnn_train log)"
same "--dry-run runs nothing" "$names" "$(cd random && ls -d */)"
ends "a trial that fails" 1 sweep --grid lr=0.1,1e30 --grid epochs=1 -o failing -- --model "$network" --optimizer sgd \
    --batch-size 200
has "is named" '^failed: lr=1e30,epochs=1: cnn_train: error: ' "$(cat log)"
check "the others are run" [ -e "failing/lr=0.1,epochs=1/final.h5" ]

ends "a trial's own folder" 2 sweep --grid lr=1 -o owned -- "${base[@]}" --out elsewhere
has "is for the sweep to say" '--out behind --' "$(cat err)"
ends "options of cnn_train in front of --" 2 sweep --grid lr=1 -o owned "${base[@]}"
has "belong behind it" 'stand behind --' "$(cat err)"
ends "a value that cannot be" 2 sweep --grid optimizer=sgd,lion -o owned -- "${base[@]:0:4}"
has "is said once, with its trial" '^sweep: error: optimizer=lion: cnn_train: error: --optimizer lion: must be one of' \
    "$(cat err)"
ends "a misspelt option" 2 sweep --grid lr=0.1 -o owned -- "${base[@]}" --epoch-s 3
has "likewise" 'Did you mean --epochs' "$(cat err)"
check "nothing was run" [ ! -e owned ]

echo "--- stopped"
"$source/launch/sweep" --grid lr=0.1,0.2 -o long -- "${base[@]:0:4}" --epochs 100000 --checkpoint-epochs 0 >log 2>err &
pid=$!
started+=("$pid")
while [ ! -s long/lr=0.1/metrics.csv ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
kill -TERM $pid
wait $pid
same "exit code" 75 $?
has "the trial has stopped" '^lr=0.1: stopped' "$(cat log)"
check "with a checkpoint" compgen -G 'long/lr=0.1/step-*.h5' >/dev/null
check "the other was not begun" [ ! -e long/lr=0.2 ]

echo "--- what cannot be, and Slurm"
ends "--grid without values" 2 sweep --grid lr -o new -- "${base[@]}"
ends "a range upside down" 2 sweep --random 2 --range lr=1:0.1 -o new -- "${base[@]}"
ends "--range alone" 2 sweep --range lr=0.1:1 -o new -- "${base[@]}"
ends "values twice" 2 sweep --grid lr=1,1 -o new -- "${base[@]}"
ends "no sweep to report" 1 sweep --report -o new
check "no folder of these" [ ! -e new ]
ends "--slurm --dry-run" 0 sweep "${grid[@]}" --slurm --ranks 4 --dry-run -o "new sweep" -- "${base[@]}"
has "an array of eight, two at a time, of four ranks" '--array=0-7%2 --ntasks=4' "$(cat log)"
has "its trials" '^7: lr=1e-5,momentum=0.9,seed=2$' "$(cat log)"
check "nothing is written" [ ! -e "new sweep" ]
has "a folder's % is none of Slurm's" "--output=.*/50%%j/slurm-%a.log" "$(sweep "${grid[@]}" --slurm --dry-run -o 50%j -- "${base[@]}")"
finish
