#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_predict on pictures, folders, lists and datasets: one row for each, in order, each once, the same on any number of
# ranks; pictures give what the dataset of the same pixels gives; bad files; means; sheets.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "skipped: no python3" && exit 77; }
small_data small.h5 203 --class-names zero,one,two,three,four,five,six,seven,eight,nine
train 1 --data small.h5 --model digits-net --epochs 3 --seed 1 --label-smoothing 0 --out run
train 1 --data small.h5 --model digits-net --epochs 2 --seed 2 --label-smoothing 0 --out other
network() { # cnn_predict on p ranks, as CSV
    ranks "$1" cnn_predict "${@:2}" --format csv 2>err
}

# The examples of small.h5 as pictures photos/CLASS/NNN.png, every other one in colour.
tail -c $((64 * 203)) "$source/datasets/digits.h5" >pixels
python3 - <<'END'
import os, struct, zlib
names = "zero one two three four five six seven eight nine".split()
pixels = open("pixels", "rb").read()
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for i in range(203):
    folder = "photos/" + names[(i + 1) * 7 % 10]
    os.makedirs(folder, exist_ok=True)
    n = 3 if i % 2 else 1
    rows = b"".join(b"\0" + bytes(p for p in pixels[64 * i + 8 * j:64 * i + 8 * j + 8] for _ in range(n)) for j in range(8))
    with open(f"{folder}/{i:03}.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2 if n == 3 else 0, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END
echo "no picture" >photos/one/readme.txt

echo "--- a dataset"
network 1 run small.h5 --split train --top 3 >expected
same "one row for each example, in order" "$(seq 0 202)" "$(tail -n +2 expected | cut -d, -f2)"
same "the columns" "input,row,is,class_1,probability_1,class_2,probability_2,class_3,probability_3" \
    "$(head -1 expected)"
for p in 2 3 5; do
    same "the same on $p ranks" "$(cat expected)" "$(network $p run small.h5 --split train --top 3)"
done

echo "--- the same as pictures, grey and in colour"
network 1 run photos --top 3 >found
same "a folder: every picture once, sorted" "$(find photos -name '*.png' | LC_ALL=C sort)" \
    "$(tail -n +2 found | cut -d, -f1)"
of_class() { tail -n +2 "$1" | cut -d, -f3- | sort; } # the true class, and what is said: without the names of inputs
same "what the dataset of the same pixels gives" "$(of_class expected)" "$(of_class found)"
for p in 2 3 5; do
    same "the same on $p ranks" "$(cat found)" "$(network $p run photos --top 3)"
done
{ echo photos/two && echo && echo photos/one/002.png && echo small.h5; } >list.txt
network 1 run @list.txt photos/nine --split train >mixed
same "a list, a picture, a dataset, a folder: in their order" \
    "$(find photos/two -name '*.png' | LC_ALL=C sort && echo photos/one/002.png && yes small.h5 | head -203 &&
        find photos/nine -name '*.png' | LC_ALL=C sort)" "$(tail -n +2 mixed | cut -d, -f1)"
same "the same on 3 ranks, from stdin" "$(cat mixed)" "$(network 3 run - photos/nine --split train <list.txt)"
same "a picture alone" "$(grep photos/one/002.png mixed)" "$(network 1 run photos/one/002.png | tail -1)"
cp photos/one/002.png alone.png
has "no folder, no truth" '^alone.png,,,[a-z]+,' "$(network 1 run alone.png)"

echo "--- forms"
ranks 1 cnn_predict run photos --top 5 >table
check "a table has at most 79 columns" [ "$(awk 'length > 79' table | wc -l)" = 0 ]
right=$(awk -F, 'NR > 1 && $3 == $4 { n++ } END { print n }' found)
has "it counts what is right" "^$right of 203 right" "$(tail -1 table)"
cp photos/one/002.png "a picture whose name is long, longer than a table on a terminal.png"
ranks 1 cnn_predict run a*terminal.png >table
has "files and pipes get whole names" '^a picture whose name is long, longer than a table on a terminal.png  ' \
    "$(tail -1 table)"
network 1 run photos -o rows.csv
same "a file says the same as stdout" "$(network 1 run photos)" "$(cat rows.csv)"
ranks 2 cnn_predict run photos --top 2 -o rows.json >/dev/null
same "JSON says the same" "$(cut -d, -f1,3-7 found | awk -F, 'NR > 1 { print $1, $2, $3, $5 }')" \
    "$(python3 -c 'import json
for r in json.load(open("rows.json")): print(r["input"], r["is"], *[c["class"] for c in r["classes"]])')"
ranks 1 cnn_predict run photos --layer flatten -o features.h5 >/dev/null
ranks 3 cnn_predict run photos --layer flatten -o features-3.h5 >/dev/null
same "features of pictures on 3 ranks" "$(sha256sum <features.h5)" "$(sha256sum <features-3.h5)"
ends "features of a run's own data, a folder" 0 ranks 2 cnn_predict run --data photos --layer flatten -o labelled.h5
has "are no pictures" 'x [0-9]+ float32.* y scalar: class numbers, 10 classes .*test 203 examples' \
    "$("$build/cnn_inspect" labelled.h5 --quick | xargs)"
ranks 1 cnn_predict run photos --png sheet.png --count 20 >/dev/null
ranks 3 cnn_predict run photos --png sheet-3.png --count 20 >/dev/null
if [ -s sheet.png ]; then
    same "the same sheet on 3 ranks" "$(sha256sum <sheet.png)" "$(sha256sum <sheet-3.png)"
fi

echo "--- a picture looked at"
maps() { grep -o 'base64,[^"]*' "$1" | tail -n +2; } # all pictures of a sheet but the first, the example itself
if [ -s sheet.png ]; then
    ranks 1 cnn_plot run --what features --split train --index 5 -o of_data.svg >/dev/null
    ranks 1 cnn_plot run photos/two/005.png --what features -o of_file.svg >/dev/null
    ranks 3 cnn_plot run photos/two --index 0 --what features -o of_folder.svg >/dev/null
    same "the maps of a picture file are those of the same pixels in a dataset" "$(maps of_data.svg)" \
        "$(maps of_file.svg)"
    same "of a folder, on 3 ranks, too" "$(cat of_file.svg)" "$(cat of_folder.svg)"
    ends "where the network looks" 0 ranks 1 cnn_plot run photos/two/005.png --what grad-cam --class two -o where.svg
    same "the picture, the map, both together" 3 "$(grep -c base64 where.svg)"
    fails "an example that is not there" 2 'index 1: the input has 1 examples' \
        ranks 1 cnn_plot run photos/two/005.png --what grad-cam --index 1 -o none.png
    fails "a picture that is not there" 1 'cannot open nowhere.jpg' ranks 1 cnn_plot run nowhere.jpg -w features \
        -o none.png
    fails "a picture and --data" 2 'give one of them' \
        ranks 1 cnn_plot run photos/two/005.png -w features --data small.h5 -o none.png
fi

echo "--- bad files"
mkdir bad && cp photos/one/002.png bad/1.png && head -c 60 photos/two/005.png >bad/2.png && cp photos/two/005.png \
    bad/3.png
echo GIF89a >bad/4.jpg
fails "a cut picture" 1 'bad/2.png' ranks 1 cnn_predict run bad
fails "of several ranks" 1 'bad/2.png' ranks 3 cnn_predict run bad
ends "those that cannot be read are left out" 1 ranks 1 cnn_predict run bad --on-bad-file skip --format csv
same "the others are there" "bad/1.png bad/3.png" "$(tail -n +2 log | cut -d, -f1 | tr '\n' ' ' | sed 's/ $//')"
has "they are named" 'bad/2.png' "$(cat err)"
has "all of them" 'bad/4.jpg' "$(cat err)"
has "and counted" '2 of 4 inputs could not be read' "$(cat err)"
fails "a file that is not there" 1 'cannot open nowhere.png' ranks 2 cnn_predict run alone.png nowhere.png
mkdir empty
fails "a folder without pictures" 1 'empty has no pictures' ranks 1 cnn_predict run empty
fails "an empty list" 1 'stdin' ranks 1 cnn_predict run - </dev/null
fails "inputs and --data" 2 'give one of them' ranks 1 cnn_predict run alone.png --data small.h5
fails "a file that is there" 1 'exists already' ranks 2 cnn_predict run alone.png -o rows.csv
fails "two formats" 2 'name says another one' ranks 1 cnn_predict run alone.png -o new.csv --format json
fails "rows without numbers" 2 'skip would leave rows' ranks 1 cnn_predict run bad --on-bad-file skip -o new.h5
check "nothing is written by those" [ -z "$(find . -name 'new.*')" ]

echo "--- means"
network 1 run other photos --top 10 >mean
network 1 run photos --top 10 >one
network 1 other photos --top 10 >two
python3 - <<'END' >log
import csv
def read(name):
    return [{r[f"class_{k}"]: float(r[f"probability_{k}"]) for k in range(1, 11)} for r in csv.DictReader(open(name))]
mean, one, two = read("mean"), read("one"), read("two")
print(max(abs(m[c] - (a[c] + b[c]) / 2) for m, a, b in zip(mean, one, two) for c in m) < 1e-6)
END
same "probabilities of two runs are averaged" "True" "$(cat log)"
same "the same on 3 ranks" "$(cat mean)" "$(network 3 run other photos --top 10)"
same "changed views on 2 ranks" "$(network 1 run photos --tta 4 --augment crop=1)" \
    "$(network 2 run photos --tta 4 --augment crop=1)"
differs "they differ from the pictures as they are" "$(cat found)" "$(network 1 run photos --top 3 --tta flip)"
same "of the dataset, too" "$(network 1 run small.h5 --split train --tta flip | tail -n +2 | cut -d, -f3- | sort)" \
    "$(network 1 run photos --tta flip | tail -n +2 | cut -d, -f3- | sort)"
fails "--augment alone" 2 'augment needs --tta' ranks 1 cnn_predict run photos --augment crop=1
fails "views of nothing" 2 'give|--augment LIST' ranks 1 cnn_predict run photos --tta 4
fails "--tta that is none" 2 'must be flip, or a number' ranks 2 cnn_predict run photos --tta mirror
finish
