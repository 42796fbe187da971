#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Metrics and what they decide: the same on any number of ranks and after a resume, early stop with the best weights,
# plateau, and config.json, which does a run again.
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks
small_data small.h5 203
net=(--model "$networks/dropout.json" --micro-batches 8 --seed 3)
base=("${net[@]}" --data small.h5 --validation-split 0.3 --batch-size 30 --optimizer sgd --lr 0.05)
options=("${base[@]}" --metrics top_2,precision,recall,f1,auc)

echo "--- metrics on any number of ranks, and resumed in the middle of an epoch"
for p in 1 2 3 5; do
    train $p "${options[@]}" --epochs 2 --checkpoint-steps 1 --keep 100 --out run-$p
    [ $p = 1 ] && rows=$(metrics run-1) tested=$(losses) expected=$(digest run-1)
    same "metrics.csv of $p ranks" "$rows" "$(metrics run-$p)"
    same "lines of $p ranks" "$tested" "$(losses)"
    same "digest of $p ranks" "$expected" "$(digest run-$p)"
done
has "columns" ',top_2,val_top_2,precision,val_precision,recall,val_recall,f1,val_f1,auc,val_auc,' "$rows"
has "lines of an epoch" '^  top_2 [0-9.]+  val_top_2 [0-9.]+ ' "$(cat log)"
check "of at most 100 columns" [ "$(grep '^  top_2' -A1 log | wc -L)" -le 100 ]
p=(1 2 3 5)
for step in 1 3 5 7; do
    cp -r run-1 part
    train ${p[step / 2]} --resume part/step-0000000$step.h5
    same "from step $step: metrics.csv" "$rows" "$(metrics part)"
    same "from step $step: digest" "$expected" "$(digest part)"
    rm -r part
done
value() { # value RUN COLUMN: of the last row
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } END { print $c }' "$1/metrics.csv"
}
evaluated() { sed -E "s/.*\"$1\": ([^,}]*).*/\1/" json; }
ranks 1 cnn_evaluate run-1 -c final --split train --metrics recall,top_2 --json >json
same "cnn_evaluate on 3 ranks" "$(cat json)" \
    "$(ranks 3 cnn_evaluate run-1 -c final --split train --metrics recall,top_2 --json)"
has "cnn_evaluate prints those asked for" '"recall": 0\.[0-9]+, "top_2": 0\.[0-9]+' "$(cat json)"
ranks 3 cnn_evaluate run-1 -c final --split val --json >json
check "--split val is what --validation-split has taken" \
    awk "BEGIN { exit !($(value run-1 val_loss) == $(evaluated loss)) }"
has "so many examples" '"examples": 61[,}]' "$(cat json)"
train 2 "${base[@]}" --epochs 1 --metrics f1 --out other
train 1 --resume other --epochs 2 --metrics recall
check "other metrics may follow on a resume" [ "$(value other recall)" = "$(value run-1 recall)" ]
same "earlier rows have none of them" ',' "$(sed -n 2p other/metrics.csv | grep -o ',$')"
train 1 "${base[@]}" --epochs 2 --metrics accuracy --out without
same "metrics change no weights" "$(digest run-1 | grep weights)" "$(digest without | grep weights)"

echo "--- two outputs, numbers"
train 2 --model "$networks/shared.json" --epochs 1 --micro-batches 4 --metrics f1 --out two
has "a column for each output that it suits" 'f1_[a-z0-9_]+,val_f1_[a-z0-9_]+' "$(head -1 two/metrics.csv)"

echo "--- --monitor, --early-stop"
stop=("${net[@]}" --batch-size 100 --optimizer adam --lr 0.01 --metrics f1 --monitor val_f1 --early-stop 3 --epochs 60
    --keep 100)
train 2 "${stop[@]}" --out stopped
has "says why" '^stopped early: val_f1 has not risen since epoch [0-9]+$' "$(cat log)"
best=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "val_f1") c = i }
    NR > 1 && $c > most { most = $c; best = $1 } END { print best }' stopped/metrics.csv)
last=$(tail -1 stopped/metrics.csv | cut -d, -f1)
has "which weights final.h5 has" "^final.h5 has the weights of epoch $best, the best by val_f1\$" "$(cat log)"
same "three epochs after the best" $((best + 3)) "$last"
same "final.h5 is best.h5" "$(digest stopped -c best)" "$(digest stopped -c final)"
differs "and not the last epoch" "$(digest stopped -c best)" "$(digest stopped -c last)"
has "cnn_inspect names it" "best val_f1 0\.[0-9]+ at epoch $best" "$("$build/cnn_inspect" stopped)"
fails "is finished" 1 'stopped early, as val_f1 has not risen since epoch [0-9]+: nothing to resume.*--early-stop' \
    ranks 2 cnn_train --resume stopped
train 1 --resume auto --out stopped "${stop[@]}"
has "auto has nothing to do" 'has stopped early after [0-9]+ epochs: nothing left' "$(cat log)"
cp -r stopped part
second=$(find part -name 'step-*.h5' | sort | sed -n 2p)
train 3 --resume "$second"
same "resumed, it stops at the same epoch: metrics.csv" "$(metrics stopped)" "$(metrics part)"
same "with the same weights" "$(digest stopped)" "$(digest part)"
train 3 --resume stopped --early-stop 4 --epochs $((last + 1))
has "more patience goes on" 'changed: epochs 60 -> .*early-stop 3 -> 4' "$(cat log)"
same "to the last epoch" $((last + 1)) "$(tail -1 stopped/metrics.csv | cut -d, -f1)"
train 1 "${stop[@]}" --no-restore-best --out kept
same "--no-restore-best: final.h5 is the last epoch" "$(digest kept -c last)" "$(digest kept -c final)"

train 2 --epochs 60 --batch-size 200 --optimizer adam --lr 0.02 --early-stop 1 --average-weights 0.9 --out averaged
has "averaged weights stop early" '^final.h5 has the weights of epoch' "$(cat log)"
same "the test is of final.h5's" "$(sed -nE 's/^test: loss ([0-9.]+) .*/\1/p' log)" \
    "$(ranks 1 cnn_evaluate averaged -c final --split test --json | awk '{ sub(/.*"loss": /, ""); printf "%.6g", $0 }')"

echo "--- --schedule plateau"
plateau=("${base[@]}" --lr 0.3 --schedule plateau --plateau-patience 1 --plateau-cooldown 1 --decay-rate 0.5
         --min-lr 0.1 --warmup 1 --epochs 12)
train 1 "${plateau[@]}" --keep 100 --out plateau
has "the rate falls" '^learning rate 0.3 -> 0.15: val_loss is on a plateau' "$(cat log)"
same "not below --min-lr" 0.1 "$(value plateau lr)"
train 3 --resume plateau/step-00000025.h5
same "resumed: digest" "$(digest plateau)" "$(train 1 "${plateau[@]}" --out again && digest again)"
same "metrics.csv" "$(metrics again)" "$(metrics plateau)"

echo "--- config.json does the run again"
train 2 --config again/config.json --out same
same "digest" "$(digest again)" "$(digest same)"
same "config.json" "$(cat again/config.json)" "$(cat same/config.json)"
cat >recipe.json <<END
{"comment": ["any words"], "model": "$networks/dropout.json", "data": "small.h5", "epochs": 3, "seed": 7}
END
train 1 --config recipe.json --epochs 1 --out recipe
has "the command line wins" 'epoch 1/1 ' "$(cat log)"
has "the rest is the file's" '"seed": 7' "$(cat recipe/config.json)"

echo "--- what cannot be"
one=("${net[@]}" --data small.h5 --epochs 1 --out wrong)
fails "unknown metric" 2 'unknown metric f2; known: accuracy, top_K, ' ranks 2 cnn_train "${one[@]}" --metrics f2
fails "metric of numbers" 2 'mae does not suit the loss; with it go ' ranks 1 cnn_train "${one[@]}" --metrics f1,mae
fails "no such column" 2 'monitor val_auc: .*--validation-split' ranks 2 cnn_train "${one[@]}" --monitor val_auc
fails "nor without val_" 2 'monitor auc: there is no such metric; there are loss, accuracy' \
    ranks 1 cnn_train "${one[@]}" --monitor auc
fails "a column that says nothing" 2 'monitor seconds' ranks 1 cnn_train "${one[@]}" --monitor seconds --dry-run
fails "--plateau-patience without plateau" 2 'plateau-patience has no meaning with --schedule' \
    ranks 1 cnn_train "${one[@]}" --plateau-patience 3
fails "--min-delta alone" 2 'min-delta needs --early-stop' ranks 1 cnn_train "${one[@]}" --min-delta 3
fails "--no-restore-best alone" 2 'no-restore-best needs --early-stop' ranks 1 cnn_train "${one[@]}" --no-restore-best
fails "another --monitor on a resume" 2 'monitor none, not loss|monitor .*not loss' \
    ranks 1 cnn_train --resume run-1 --epochs 3 --monitor loss
fails "cnn_evaluate: unknown metric" 2 'unknown metric f2' ranks 2 cnn_evaluate run-1 --split train --metrics f2
echo '{"epochz": 3}' >wrong.json
fails "config: unknown name" 2 'wrong.json: unknown option "epochz"; did you mean epochs' \
    ranks 2 cnn_train --config wrong.json
echo '{"epochs": "three"}' >wrong.json
fails "config: another type" 2 'wrong.json: "epochs": must be a number' ranks 1 cnn_train --config wrong.json
echo '{"epochs": 3, "epochs": 4}' >wrong.json
fails "config: twice" 2 'wrong.json, line 1: duplicate' ranks 1 cnn_train --config wrong.json
fails "config: not there" 1 'cannot open none.json' ranks 1 cnn_train --config none.json
check "no run folder of these" [ ! -e wrong ]
finish
