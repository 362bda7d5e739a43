"""Images as a user has them: Kvasir-SEG's JPEG pairs, or generated ones like them."""

import os
import zipfile
from pathlib import Path

import cv2
import numpy as np

ARCHIVE = Path(os.environ.get("SEG_TEST_DATA", "../shared/datasets")) / "kvasir-seg.zip"
SIDE = 352


def write_photographs(folder: Path, number: int, enlarged: int = 1) -> str:
    """Write `number` JPEG pairs to `images/` and `masks/`, the archive's again and again; says which."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    pairs = _archived() if ARCHIVE.exists() else [_generated(seed) for seed in range(min(number, 200))]
    if enlarged > 1:
        pairs = [(_enlarge(image, enlarged), _enlarge(mask, enlarged)) for image, mask in pairs[:number]]
    for i in range(number):
        for name, content in zip(("images", "masks"), pairs[i % len(pairs)], strict=True):
            (folder / name / f"case{i:06d}.jpg").write_bytes(content)
    kind = "real pairs of Kvasir-SEG" if ARCHIVE.exists() else f"generated pairs ({ARCHIVE} is absent)"
    return f"{number} JPEG pairs, {SIDE * enlarged}×{SIDE * enlarged}, from {len(pairs)} {kind}"


def _archived() -> list[tuple[bytes, bytes]]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        images = sorted(name for name in archive.namelist() if "/images/" in name and name.endswith(".jpg"))
        return [(archive.read(name), archive.read(name.replace("/images/", "/masks/"))) for name in images]


def _generated(seed: int) -> tuple[bytes, bytes]:
    random = np.random.default_rng(seed)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(
        mask, (int(random.integers(80, 270)), int(random.integers(80, 270))), int(random.integers(20, 70)), 255, -1
    )
    coarse = cv2.resize(random.integers(40, 160, (22, 22, 3), np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    image = coarse // 2 + random.integers(0, 25, (SIDE, SIDE, 3), np.uint8) + mask[:, :, None] // 3
    return _jpeg(image), _jpeg(mask)


def _enlarge(content: bytes, factor: int) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return _jpeg(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC))


def _jpeg(pixels: np.ndarray) -> bytes:
    done, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return content.tobytes()
