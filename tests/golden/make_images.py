# SPDX-License-Identifier: Apache-2.0
# Writes images.inc: small picture files of every kind, and what Pillow makes of them, and images_resized.inc: noise of other
# sizes, for tests/unit/test_image.c; and some of the files as seeds of the fuzzer of images.
# Pillow writes most of them; PNGs of 16 bits, interlaced ones and those of 1, 2 and 4 bits are written here.
#   python tests/golden/make_images.py      (needs Pillow 12 and numpy)
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HEIGHT, WIDTH = 7, 9
MADE = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by make_images.py: do not edit. */"
SEEDS = pathlib.Path(__file__).parent.parent / "fuzz/corpus/image"
lines = [MADE]
rng = np.random.default_rng(1)
rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
colours = np.stack([rows * 36, columns * 28, 255 - (rows + columns) * 15], 2).astype("u1")
photo = Image.fromarray(colours)
alpha = Image.fromarray((columns * 31).astype("u1"))
passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]  # of Adam7


def png(samples, depth, colour, interlaced=False, chunks=()):
    """A PNG file of samples [height][width][channels] of `depth` bits."""
    def pack(part):
        lines = b""
        for line in part.reshape(part.shape[0], -1):
            bits = np.unpackbits(line.astype(">u2").view("u1").reshape(-1, 2), axis=1)[:, 16 - depth:]
            lines += b"\0" + np.packbits(bits.ravel()).tobytes()
        return lines

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    samples = np.atleast_3d(samples)
    parts = [samples[y::dy, x::dx] for y, x, dy, dx in passes] if interlaced else [samples]
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour, 0, 0, interlaced)
    data = b"".join(pack(part) for part in parts if part.size)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks) + \
        chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def saved(image, kind, **options):
    memory = io.BytesIO()
    image.save(memory, kind, **options)
    return memory.getvalue()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def upright(data, grey=False):
    """Pillow's pixels: on white, upright.  Of a JPEG its own brightness."""
    image = Image.open(io.BytesIO(data))
    if grey and image.format == "JPEG":
        image.draft("L", image.size)
    image = ImageOps.exif_transpose(image)
    if "A" in image.mode or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(image.convert("RGB").convert("L") if grey and image.mode != "L" else
                      image.convert("L" if grey else "RGB"))


def numbers(data):
    return ",".join(str(b) for b in bytes(data))


def row(name, data, tolerance, channels, pixels=None, grey=None):
    pixels = upright(data) if pixels is None else pixels
    grey = upright(data, True) if grey is None else grey
    if name.split(".")[0] in ("interlaced", "palette-alpha", "deep", "420", "progressive", "cmyk", "exif6", "lossy", "alpha"):
        SEEDS.mkdir(parents=True, exist_ok=True)
        (SEEDS / name).write_bytes(data)
    lines.append(f"{{\"{name}\", {pixels.shape[0]}, {pixels.shape[1]}, {channels}, {tolerance}, {len(data)},\n"
          f"(const uint8_t[]){{{numbers(data)}}},\n(const uint8_t[]){{{numbers(pixels.tobytes())}}},\n"
          f"(const uint8_t[]){{{numbers(grey.tobytes())}}}}},")


with_alpha = photo.copy()
with_alpha.putalpha(alpha)
grey_alpha = photo.convert("L")
grey_alpha.putalpha(alpha)
palette = photo.quantize(12)
levels = np.asarray(photo.convert("L"))
deep = colours.astype(int) * 257 // 3 * 2
row("rgb.png", png(colours, 8, 2), 0, 3)
row("interlaced.png", png(colours, 8, 2, True), 0, 3)
row("rgba.png", saved(with_alpha, "PNG"), 1, 3)
row("grey.png", saved(photo.convert("L"), "PNG"), 0, 1)
row("grey-alpha.png", saved(grey_alpha, "PNG"), 1, 1)
row("grey-key.png", saved(photo.convert("L"), "PNG", transparency=int(levels[3, 4])), 0, 1)
row("palette.png", saved(palette, "PNG"), 0, 3)
row("palette-alpha.png", saved(palette, "PNG", transparency=bytes(range(0, 240, 20))), 1, 3)
for depth in 1, 2, 4:
    few = levels >> (8 - depth)
    wide = (few * (255 // (2 ** depth - 1))).astype("u1")
    row(f"grey{depth}.png", png(few, depth, 0, depth == 2), 0, 1, np.stack([wide] * 3, 2), wide)
for interlaced in False, True:
    row("deep.png", png(deep, 16, 2, interlaced), 1, 3)
wide = ((deep[:, :, 1] * 255 + 32767) // 65535).astype("u1")
row("deep-grey.png", png(deep[:, :, 1], 16, 0), 0, 1, np.stack([wide] * 3, 2), wide)
for orientation in range(1, 9):
    row(f"exif{orientation}.png", saved(photo, "PNG", exif=exif(orientation)), 0, 3)
row("420.jpg", saved(photo, "JPEG", quality=90), 3, 3)
row("444.jpg", saved(photo, "JPEG", quality=90, subsampling=0, optimize=True), 3, 3)
row("progressive.jpg", saved(photo, "JPEG", progressive=True), 3, 3)
row("grey.jpg", saved(photo.convert("L"), "JPEG", optimize=True), 3, 1)
row("cmyk.jpg", saved(photo.convert("CMYK"), "JPEG", optimize=True), 3, 3)
row("exif6.jpg", saved(photo, "JPEG", exif=exif(6), subsampling=0, optimize=True), 3, 3)
row("lossy.webp", saved(photo, "WEBP", quality=90), 3, 3)
row("lossless.webp", saved(photo, "WEBP", lossless=True), 0, 3)
row("alpha.webp", saved(with_alpha, "WEBP", lossless=True, exact=True), 1, 3)
row("exif8.webp", saved(photo, "WEBP", lossless=True, exif=exif(8)), 0, 3)
write = pathlib.Path(__file__).with_name
write("images.inc").write_text("\n".join(lines) + "\n")
noise = rng.integers(0, 256, (11, 13, 3), "u1")
lines = [MADE, f"static const uint8_t noise[11 * 13 * 3] = {{{numbers(noise.tobytes())}}};",
         "static const Resized resized[] = {"]
for grey in False, True:
    image = Image.fromarray(noise[:, :, 0] if grey else noise)
    for height, width in (5, 5), (4, 9), (11, 3), (20, 30), (1, 1), (7, 13):
        for fit, result in enumerate([ImageOps.fit(image, (width, height), Image.BILINEAR),
                                      ImageOps.pad(image, (width, height), Image.BILINEAR),
                                      image.resize((width, height), Image.BILINEAR)]):
            lines.append(f"{{{height},{width},{fit},{1 if grey else 3},(const uint8_t[]){{{numbers(result.tobytes())}}}}},")
write("images_resized.inc").write_text("\n".join(lines) + "\n};\n")
