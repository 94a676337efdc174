#!/usr/bin/env python3
"""Numbers that pkg/pixel and pkg/media are held to: what PIL makes of pictures (Debian: python3-pil, python3-numpy, python3-torch).

Writes pkg/pixel/testdata/pil.json, checksums of resized pictures, and small pictures of many kinds into pkg/media/testdata, with
pil.json beside them: the pixels that PIL decodes and resizes. Prints how far torch's antialiased interpolation is from PIL's.
"""

import base64
import io
import json
import pathlib
import zlib

import numpy as np
import PIL
import torch
from PIL import Image, ImageOps

root = pathlib.Path(__file__).resolve().parents[2] / "pkg"


def noise(height, width, channels):
    """Pixels of a linear congruential generator, the same in Go."""
    state, out = 1, bytearray()
    for _ in range(height * width * channels):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 24)
    pixels = np.frombuffer(bytes(out), np.uint8).reshape(height, width, channels)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def fitted(image, height, width, fit, short, fill):
    if fit == "letterbox":
        return ImageOps.pad(image, (width, height), Image.BILINEAR, color=(fill if image.mode == "L" else (fill,) * 3))
    if fit == "crop":
        # torchvision 0.14: transforms.functional.resize and center_crop.
        w, h = image.size
        short = short or max(height, width)
        size = (short, int(short * h / w)) if w <= h else (int(short * w / h), short)
        image = image.resize(size, Image.BILINEAR)
        left, top = int(round((size[0] - width) / 2.0)), int(round((size[1] - height) / 2.0))
        return image.crop((left, top, left + width, top + height))
    return image.resize((width, height), Image.BILINEAR)


def planes(image):
    a = np.asarray(image)
    return np.ascontiguousarray(a[None] if a.ndim == 2 else a.transpose(2, 0, 1))


def resized():
    cases = []
    for h, w, channels, height, width, fit, short, fill in [
        (48, 64, 3, 22, 22, "stretch", 0, 0), (48, 64, 1, 22, 22, "stretch", 0, 0), (7, 9, 3, 4, 5, "stretch", 0, 0),
        (7, 9, 3, 10, 3, "stretch", 0, 0), (1, 1, 3, 3, 2, "stretch", 0, 0), (5, 300, 3, 5, 7, "stretch", 0, 0),
        (300, 5, 1, 7, 5, "stretch", 0, 0), (33, 31, 3, 33, 31, "stretch", 0, 0), (33, 31, 3, 70, 90, "stretch", 0, 0),
        (240, 320, 3, 112, 112, "stretch", 0, 0), (57, 83, 3, 24, 24, "crop", 32, 0), (83, 57, 3, 24, 20, "crop", 33, 0),
        (50, 50, 1, 24, 24, "crop", 0, 0), (11, 90, 3, 16, 16, "crop", 17, 0), (57, 83, 3, 24, 24, "letterbox", 0, 0),
        (83, 57, 3, 25, 40, "letterbox", 0, 128), (9, 9, 1, 20, 31, "letterbox", 0, 7), (40, 80, 3, 20, 40, "letterbox", 0, 9),
        (6, 200, 3, 8, 30, "letterbox", 0, 1)]:
        image = noise(h, w, channels)
        p = planes(fitted(image, height, width, fit, short, fill))
        cases.append({"height": h, "width": w, "channels": channels, "frame": {"Height": height, "Width": width, "Fit": fit, "Short": short,
                      "Fill": fill}, "crc32": zlib.crc32(p.tobytes())})
        if fit == "stretch":
            x = torch.from_numpy(planes(image).astype(np.float32))[None]
            y = torch.nn.functional.interpolate(x, (height, width), mode="bilinear", align_corners=False, antialias=True)[0].numpy()
            print(f"{h}x{w} to {height}x{width}: torch differs from PIL by {np.abs(y.round() - p).max():.0f} at most")
    return cases


def scene(height, width):
    """A picture with slopes, edges and a little noise."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    a = np.stack([128 + 100 * np.sin(x / 9) * np.cos(y / 7), 255 * x / width, 200 - 150 * ((x - 30) ** 2 + (y - 20) ** 2 < 150)], 2)
    a += np.random.default_rng(3).normal(0, 6, a.shape)
    return Image.fromarray(a.clip(0, 255).astype(np.uint8))


def files():
    rgb, grey = scene(45, 61), scene(45, 61).convert("L")
    alpha = Image.fromarray(((np.mgrid[0:45, 0:61][1] * 4) % 256).astype(np.uint8))
    rgba, la = rgb.copy(), grey.copy()
    rgba.putalpha(alpha)
    la.putalpha(alpha)
    palette = rgb.quantize(40)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    yield "444.jpg", rgb, {"quality": 85, "subsampling": 0}
    yield "422.jpg", rgb, {"quality": 85, "subsampling": 1}
    yield "420.jpg", rgb, {"quality": 75, "subsampling": 2}
    yield "even.jpg", rgb.crop((0, 0, 48, 32)), {"quality": 90, "subsampling": 2}
    yield "narrow.jpg", rgb.crop((0, 0, 3, 45)), {"quality": 90, "subsampling": 2}
    yield "grey.jpg", grey, {"quality": 85}
    yield "progressive.jpg", rgb, {"quality": 85, "progressive": True}
    yield "cmyk.jpg", rgb.convert("CMYK"), {"quality": 90}
    yield "turned.jpg", rgb, {"quality": 85, "exif": exif}
    yield "rgb.png", rgb, {}
    yield "rgba.png", rgba, {}
    yield "grey.png", grey, {}
    yield "grey-alpha.png", la, {}
    yield "bits.png", grey.convert("1"), {}
    yield "palette.png", palette, {}
    yield "palette-clear.png", palette, {"transparency": 3}
    yield "rgb.webp", rgb, {"quality": 80}
    yield "exact.webp", rgb, {"lossless": True}
    yield "alpha.webp", rgba, {"quality": 80, "exact": True}
    yield "odd.webp", rgb.crop((0, 0, 33, 1)), {"quality": 90}
    yield "rgb.bmp", rgb.crop((0, 0, 31, 20)), {}
    yield "grey.bmp", grey.crop((0, 0, 31, 20)), {}
    yield "bits.bmp", grey.crop((0, 0, 31, 20)).convert("1"), {}
    yield "palette.bmp", palette.crop((0, 0, 31, 20)), {}


def decoded():
    out = []
    for name, image, options in files():
        path = root / "media/testdata" / name
        image.save(path, **options)
        for mode in "RGB", "L":
            whole = Image.open(io.BytesIO(path.read_bytes())).convert(mode)
            small = whole.resize((16, 12), Image.BILINEAR)
            p = planes(small)
            out.append({"file": name, "mode": mode, "height": whole.height, "width": whole.width, "crc32": zlib.crc32(planes(whole).tobytes()),
                        "small": base64.b64encode(p.tobytes()).decode()})
    return out


def write(path, cases):
    source = f"scripts/reference/images.py: PIL {PIL.__version__}, libjpeg-turbo {PIL.features.version('libjpeg_turbo')}"
    lines = ",\n".join(json.dumps(c) for c in cases)
    path.write_text(f'{{"source": {json.dumps(source)}, "cases": [\n{lines}\n]}}\n')


import PIL.features

write(root / "pixel/testdata/pil.json", resized())
write(root / "media/testdata/pil.json", decoded())
