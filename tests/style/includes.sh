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
only() { echo "$file:$line: only $1 may include $2"; bad=1; }
while IFS=: read -r file line text; do
    case "$text" in
    *mpi.h*) [[ $file == dist/* ]] || only dist/ mpi.h ;;
    *hdf5*.h*) [[ $file == io/h5io* ]] || only io/h5io hdf5.h ;;
    *zip.h*) [[ $file == io/keras_zip.c ]] || only io/keras_zip.c zip.h ;;
    *png.h*) [[ $file == io/png.c || $file == io/image_png.c ]] || only "io/png.c and image_png.c" png.h ;;
    *jpeglib.h*) [[ $file == io/image_jpeg.c ]] || only io/image_jpeg.c jpeglib.h ;;
    *webp/*) [[ $file == io/image_webp.c ]] || only io/image_webp.c webp/ ;;
    *cairo*.h*) [[ $file == io/drawing.[ch] ]] || only "io/drawing.[ch]" cairo.h ;;
    *sndfile.h*) [[ $file == io/sound.c ]] || only io/sound.c sndfile.h ;;
    *cblas.h*) [[ $file == backend/* ]] || only backend/ cblas.h ;;
    esac
done < <(grep -rnE '#include +<(mpi|sndfile|hdf5|hdf5_hl|zip|png|cairo|cairo-svg|cairo-pdf|cblas|jpeglib|webp/[a-z]+)\.h>' --include='*.[ch]' . | sed 's|^\./||')
[ "$seen" -gt 50 ] || [ -n "${1:-}" ] ||
    { echo "only $seen includes found: the check does not look where it should"; exit 1; }
exit $bad
