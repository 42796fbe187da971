#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_plot, and the report.html of each run.
. "$(dirname "$0")/lib.sh"
plot="$build/cnn_plot"
kind() { head -c 4 "$1" | tr -d '\0\n'; }
name='<b>"&'"'" # of a class, and of a folder
small_data small.h5 203
run=(--model "$source/tests/cli/networks/batchnorm.json" --data small.h5 --batch-size 30 --micro-batches 3)
train 1 "${run[@]}" --seed 1 --epochs 3 --validation-split 0.2 --out one
if ! "$plot" one -o one.png >log 2>err; then
    has "a build without cairo says so" 'without cairo' "$(cat err)"
    check "and its runs have a report all the same" [ -s one/report.html ]
    finish
fi
train 3 "${run[@]}" --seed 2 --epochs 1 --no-report --out two

echo "--- histories"
same "a PNG" "$(printf '\x89PNG')" "$(kind one.png)"
for ending in svg pdf; do ends "one run as .$ending" 0 "$plot" one -o "one.$ending"; done
has "SVG" '<svg' "$(cat one.svg)"
same "PDF" "%PDF" "$(kind one.pdf)"
ends "two runs, one without validation" 0 "$plot" one two -o both.png --dark
check "are a picture of their own" eval '! cmp -s one.png both.png'
mkdir live half empty
printf 'epoch,step,lr,loss,val_loss\n1,7,0.1,2,\n2,14,0.1,inf,nan\n3,2' >live/metrics.csv
ends "a run that is training, with values that are no numbers" 0 "$plot" live -o live.png
printf 'epoch,step,lr,loss,val_loss\n' >half/metrics.csv
fails "a run whose first epoch is not over" 1 'first epoch of half is not over' "$plot" half -o none.png
fails "no such run" 1 'cannot open the run folder elsewhere: No such file' "$plot" elsewhere -o none.png
fails "a folder without a run" 1 'empty holds no metrics.csv' "$plot" one empty -o none.png
printf 'epoch,loss\n1,nan\n' >empty/metrics.csv
fails "nothing to draw" 1 'no value is a finite number' "$plot" empty -o none.png
check "nothing is written then" [ ! -e none.png ]
fails "an ending that is none" 2 'must end in' "$plot" one -o one.gif
fails "no run" 2 'RUN... is missing' "$plot" -o none.png
fails "a folder that is not there" 1 'cannot write' "$plot" one -o nowhere/one.png

echo "--- networks"
for what in filters features grad-cam; do
    ends "$what" 0 "$plot" one --what $what --split train -o $what.png
    same "is a picture" "$(printf '\x89PNG')" "$(kind $what.png)"
done
ends "of another layer" 0 "$plot" one --what grad-cam --layer conv --split train --index 7 --class 3 -o where.svg
fails "an example that is not there" 2 'index 900: .*has 203 examples' "$plot" one -w features -s train -i 900 \
    -o none.png
fails "a class that is not there" 2 'class 10: .*10 classes' "$plot" one -w grad-cam -s train --class 10 -o none.png
fails "a layer that is not there" 2 'no layer conf' "$plot" one -w filters --layer conf -o none.png
echo '{"class_name": "Sequential", "config": {"name": "flat", "layers": [
    {"class_name": "Flatten", "config": {"name": "flatten", "batch_input_shape": [null, 8, 8, 1]}},
    {"class_name": "Dense", "config": {"name": "y", "units": 10, "activation": "softmax"}}]}}' >flat.json
train 1 --model flat.json --data small.h5 --batch-size 100 --epochs 1 --no-report --out flat
fails "a network without convolutions" 2 'no convolution whose maps' "$plot" flat -w features -s train -o none.png
train 1 --model "$source/tests/cli/networks/shared.json" --data small.h5 --batch-size 100 --epochs 1 --no-report --out outputs
ends "of two outputs, where the first comes from" 0 "$plot" outputs -w grad-cam -s train -o none.png
rm none.png
ends "confusions" 0 "$plot" one --what confusion --split train -o confusion.svg
ends "as cnn_evaluate draws them" 0 ranks 2 cnn_evaluate one --split train --confusion evaluated.svg
check "are the same" cmp confusion.svg evaluated.svg
ends "on three ranks" 0 ranks 3 cnn_plot one --what confusion --split train -o three.svg
check "the same, too" cmp confusion.svg three.svg
fails "several runs" 2 'draws one run' "$plot" one two -w filters -o none.png

echo "--- reports"
text() { python3 "$source/tests/cli/check_html.py" "$1" 2>&1; }
check "a run has one" [ -s one/report.html ]
check "unless it is not wanted" [ ! -e two/report.html ]
if command -v python3 >/dev/null; then
    check "well-formed, loading nothing" text one/report.html >/dev/null
    has "epochs" '3 of 3' "$(text one/report.html)"
    has "results" 'on 41 val examples' "$(text one/report.html)"
    has "the machine" '1 rank on 1 node' "$(text one/report.html)"
    ends "made anew" 0 "$plot" one -o anew.html
    has "of the same machine" '1 rank on 1 node' "$(text anew.html)"
    mkdir "$name" && cp one/* "$name"
    ends "of a folder with an odd name" 0 "$plot" "$name" -o odd.html
    check "is well-formed" text odd.html >/dev/null
    has "and has its name" "<b>\"&'" "$(text odd.html)"
    printf -v long '%0200d/' 1 2 3 && long+="it's" && mkdir -p "$long" && cp one/* "$long"
    ends "of a folder with a long name" 0 "$plot" "$long" -o long.html
    has "and its commands have it whole" "cnn_evaluate '0{199}1/0{199}2/0{199}3/it'\\\\''s'" "$(text long.html)"
else
    echo "skipped: what is in reports (no python3)"
fi
same "the digest does not know of reports" "$(digest one)" "$(train 1 "${run[@]}" --seed 1 --epochs 3 \
    --validation-split 0.2 --out silent --no-report && digest silent)"
begin_until 7 killed 3 "${run[@]}" --seed 1 --epochs 3
kill -9 "$root"
wait "$job" 2>/dev/null
train 3 --resume killed
has "after a kill and a resume, all epochs" '3 of 3' "$(text killed/report.html)"
check "and nothing half-written" eval '[ -z "$(ls -A killed | grep cnn-tmp)" ]'
mkdir -p old && cp one/report.html old
mkdir moved && cp one/* moved && sed -i 's/"small.h5"/"gone.h5"/' moved/config.json
ends "a report of a run whose data are gone" 0 "$plot" moved -o moved.html
has "which is said" 'report is without results: .*gone.h5' "$(cat err)"
has "and why there are none" 'No examples were tried: .*gone.h5' "$(text moved.html)"
has "the layers are there" 'parameters' "$(text moved.html)"
fails "other data that are not there" 1 'cannot open none.h5' "$plot" moved --data none.h5 -o none.html
fails "a folder with a report is taken for a run" 2 'old holds a run .report.html' ranks 1 cnn_train "${run[@]}" \
    --out old
train 1 "${run[@]}" --epochs 1 --overwrite --no-report --out one
check "--overwrite removes the report, too" [ ! -e one/report.html ]
rm -f one/best.h5 small.h5
finish
