#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: the arrows of src/README.md.  Fails with one line per wrong include.
set -u
root=${CNN_SOURCE_DIR:?}/${1:-src}
cd "$root" || exit 1
declare -A may=(
    [base]="base" [backend]="backend base" [dist]="dist base" [io]="io base" [graph]="graph backend base"
    [data]="data io base" [model]="model graph backend base"
    [train]="train model data graph io dist backend base" [tools]="train model data graph io dist backend base"
)
bad=0 seen=0
while IFS=: read -r file line text; do
    seen=$((seen + 1))
    room=${file%%/*}
    target=$(sed -E 's/.*#include +"([^"]+)".*/\1/' <<<"$text")
    to=${target%%/*}
    case " ${may[$room]:-} " in
    *" $to "*) ;;
    *) echo "$file:$line: $room may not include $target (allowed: ${may[$room]:-nothing})"; bad=1 ;;
    esac
done < <(grep -rnE '#include +"' --include='*.[ch]' . | sed 's|^\./||')
while IFS=: read -r file line text; do
    case "$text" in
    *mpi.h*) [[ $file == dist/* ]] || { echo "$file:$line: only dist/ may include mpi.h"; bad=1; } ;;
    *hdf5*.h*) [[ $file == io/h5io* ]] || { echo "$file:$line: only io/h5io may include hdf5.h"; bad=1; } ;;
    *zip.h*) [[ $file == io/keras_zip.c ]] || { echo "$file:$line: only io/keras_zip.c may include zip.h"; bad=1; } ;;
    *png.h*) [[ $file == io/png.c || $file == io/image_png.c ]] || { echo "$file:$line: only io/png.c and image_png.c may include png.h"; bad=1; } ;;
    *jpeglib.h*) [[ $file == io/image_jpeg.c ]] || { echo "$file:$line: only io/image_jpeg.c may include jpeglib.h"; bad=1; } ;;
    *webp/*) [[ $file == io/image_webp.c ]] || { echo "$file:$line: only io/image_webp.c may include webp/"; bad=1; } ;;
    *cairo*.h*) [[ $file == io/drawing.[ch] ]] || { echo "$file:$line: only io/drawing.[ch] may include cairo.h"; bad=1; } ;;
    *sndfile.h*) [[ $file == io/sound.c ]] || { echo "$file:$line: only io/sound.c may include sndfile.h"; bad=1; } ;;
    *cblas.h*) [[ $file == backend/* ]] || { echo "$file:$line: only backend/ may include cblas.h"; bad=1; } ;;
    esac
done < <(grep -rnE '#include +<(mpi|sndfile|hdf5|hdf5_hl|zip|png|cairo|cairo-svg|cairo-pdf|cblas|jpeglib|webp/[a-z]+)\.h>' --include='*.[ch]' . | sed 's|^\./||')
[ "$seen" -gt 50 ] || [ -n "${1:-}" ] || { echo "only $seen includes found: the check does not look where it should"; exit 1; }
exit $bad
