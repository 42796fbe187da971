#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# report.html in a real browser: Chromium without a window shows it, light and dark, says nothing of errors and asks the
# network for nothing.  The pictures are left in the build folder, browser/, to be looked at.
. "$(dirname "$0")/../cli/lib.sh"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "skipped: no chromium"
    exit 77
}
out=$build/browser
mkdir -p "$out"
# shows URL OPTION...: the page as the browser has it, in ./dom; what it logs, in ./console; its network's log in
# ./net.json.
shows() {
    local url=$1
    shift
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
        --user-data-dir="$work/profile" --no-first-run --disable-background-networking --disable-component-update \
        --disable-sync --disable-default-apps --enable-logging=stderr --v=0 --log-net-log="$work/net.json" \
        --virtual-time-budget=5000 "$@" "$url" >dom 2>console
}
train 1 --epochs 8 --seed 1 --metrics f1 --out run
page=file://$work/run/report.html
check "the page is shown" shows "$page" --dump-dom
has "its title" '<title>run</title>' "$(cat dom)"
has "its curves" '<img alt="Loss, accuracy and other values over epochs"' "$(cat dom)"
has "its table of layers" 'parameters' "$(cat dom)"
same "the console says nothing" "0 lines" "$(grep -c 'CONSOLE' console) lines"
own='https?://((clients[0-9]*|accounts|www)\.google\.com|(update|optimizationguide-pa|content-autofill|safebrowsing)\.googleapis\.com|[a-z.]+\.gvt1\.com)/'
requests=$(grep -oE '"url":"[a-z]+:[^"]*"' net.json | grep -vE '"url":"(file|data|chrome)[a-z-]*:' | grep -vE "$own" | sort -u)
same "nothing is asked of the network (but what the browser asks for itself)" "none" "${requests:-none}"

# Pictures in a page are real only when the browser could decode them: a page of scripts measures them.
sed 's,</body>,<script>document.title = Array.from(document.images).map(i => i.naturalWidth > 0 \&\& i.naturalHeight > 0).join();</script>&,' \
    run/report.html >measured.html
check "the page is measured" shows "file://$work/measured.html" --dump-dom
has "all pictures are there" '<title>true(,true)+</title>' "$(cat dom)"
for theme in light dark; do
    features=()
    [ $theme = light ] || features=(--blink-settings=preferredColorScheme=0 --force-dark-mode)
    check "a picture of it, $theme" shows "$page" --window-size=1200,5200 --screenshot="$out/report-$theme.png" \
        "${features[@]}"
    check "that is not blank" [ "$(stat -c %s "$out/report-$theme.png")" -gt 100000 ]
done
check "it prints" shows "$page" --print-to-pdf="$out/report.pdf"
check "on paper that is not blank" [ "$(stat -c %s "$out/report.pdf")" -gt 50000 ]
finish
