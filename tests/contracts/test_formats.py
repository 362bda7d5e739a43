"""Every format: the file is the model, at any batch and size; equal models give equal bytes; defects are told."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from seglib import checkpoint, formats, models, plugins
from seglib.checkpoint import Card, Segmenter, build_segmenter
from seglib.deployed import open_model
from seglib.errors import SegError
from tests.contracts.test_models import options
from tests.model_cards import card
from tests.project import REPOSITORY

GPU = ("tensorrt",)
"""Formats that need one."""
FORMATS = [name for name in plugins.names(formats) if name not in GPU]
SLOW = ("program",)
"""Formats that take seconds to write and to open."""
QUICK = [("unet", 2), ("unet", 3), ("dynunet", 2), ("segresnet", 3)]
EVERY = [(name, dims) for name in plugins.names(models) for dims in options(name).DIMS]
TINY = {"channels": [4, 8], "num_res_units": 1}
"""Options of a U-Net of two levels."""
SIZES = {2: [(5, 1, 1), (1, 37, 83), (3, 64, 32)], 3: [(2, 1, 1, 1), (1, 9, 33, 17)]}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Made:
    """A network of random weights, running statistics included."""

    segmenter: Segmenter
    card: Card

    @torch.inference_mode()
    def logits(self, raw):
        return self.segmenter(raw)


def make(name="unet", dims=2, **changed):
    torch.manual_seed(0)
    given = options(name)
    chosen = given.model_dump() | changed.pop("options", {})
    own = card(model=name, options=chosen, dims=dims, outputs=given.outputs, **changed)
    statistics = torch.tensor([90.0, 110.0, 130.0])
    segmenter = build_segmenter(own, statistics, statistics / 2).eval()
    for key, value in segmenter.named_buffers():
        if key.endswith(("running_mean", "running_var")):
            value.uniform_(0.5, 1.5)
    return Made(segmenter, own)


def files(path):
    """What a format wrote: the file and those beside it."""
    return {part.name: part.read_bytes() for part in path.parent.iterdir()}


def write(name, made, folder):
    plugin = plugins.load(formats, name)
    path = folder / f"model{plugin.SUFFIX}"
    plugin.write(path, made.segmenter, made.card)
    return path


def random(*shape, low=0, high=256, dtype=torch.uint8):
    return torch.randint(low, high, shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


def assert_same_logits(found, wanted):
    assert found.dtype == torch.float32
    assert found.shape == wanted.shape
    assert found.isfinite().all()
    assert float((found - wanted).abs().max()) <= 1e-3 * max(1.0, float(wanted.abs().max()))


def assert_same_model(path, made, sizes):
    logits, own = open_model(path, CPU, threads=1)
    assert own == made.card
    for batch, *space in sizes:
        raw = random(batch, 3, *space)
        assert_same_logits(logits(raw), made.logits(raw))


EACH = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in FORMATS]
)


@pytest.fixture(scope="module")
def model():
    return make(modality="ct", options=TINY)


@pytest.fixture(scope="module")
def written(model, tmp_path_factory):
    """Writes the model once in each format."""
    paths = {}

    def path(name):
        if name not in paths:
            paths[name] = write(name, model, tmp_path_factory.mktemp(name))
        return paths[name]

    return path


@EACH
def test_the_file_is_the_model_at_any_batch_and_size(written, model, name):
    assert_same_model(written(name), model, SIZES[2])


@pytest.mark.parametrize(
    ("name", "network", "dims"),
    [
        pytest.param(name, *case, marks=[] if case in QUICK and name not in SLOW else [pytest.mark.slow])
        for name in FORMATS
        for case in EVERY
    ],
)
def test_every_network_can_be_written(tmp_path, name, network, dims):
    any_size = options(network).ANY_SIZE
    made = make(network, dims) if any_size else make(network, dims, image_size=40)
    path = write(name, made, tmp_path)
    assert_same_model(path, made, SIZES[dims] if any_size else [(batch, *[40] * dims) for batch in (1, 3)])


@EACH
def test_values_of_any_type_and_layout_are_taken(written, model, name):
    logits, _ = open_model(written(name), CPU, threads=1)
    hounsfield = random(1, 3, 20, 24, low=-1000, high=3000, dtype=torch.int16)
    for raw in (hounsfield, hounsfield.double(), hounsfield.transpose(2, 3), random(1, 3, 20, 24)):
        assert_same_logits(logits(raw), model.logits(raw))
    assert not torch.equal(logits(hounsfield), logits(random(1, 3, 20, 24)))


@EACH
def test_a_file_tells_nothing_of_the_machine(written, name):
    content = b"".join(files(written(name)).values())
    for place in (str(REPOSITORY), str(Path.home()), sys.prefix, str(written(name).parent), "site-packages"):
        assert place.encode() not in content
    assert b"bright" in content, "the card is there"


@EACH
def test_equal_models_give_equal_bytes(tmp_path, written, model, name):
    assert files(write(name, model, tmp_path)) == files(written(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_another_process_writes_the_same_bytes(tmp_path, name):
    code = (
        "import sys, pathlib; from tests.contracts.test_formats import make, write; "
        "write(sys.argv[1], make(), pathlib.Path(sys.argv[2]))"
    )
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PATH": "", "HOME": str(tmp_path / f"home {seed}")}
        command = [sys.executable, "-c", code, name, str(tmp_path / seed)]
        subprocess.run(command, check=True, cwd=REPOSITORY, env=environment)
        assert not (tmp_path / f"home {seed}").exists(), "nothing is left in the home directory"
    assert files(tmp_path / "1" / "x") == files(tmp_path / "2" / "x")


@EACH
def test_damaged_files_are_told(tmp_path, written, name):
    whole = files(written(name))
    for part, content in whole.items():
        (tmp_path / part).write_bytes(content)
    path = tmp_path / written(name).name
    for damaged in (
        b"",
        b"\0" * 4096,
        b"hello",
        whole[path.name][: len(whole[path.name]) // 2],
        whole[path.name][:100],
    ):
        path.write_bytes(damaged)
        with pytest.raises(SegError, match=f"model{path.suffix}: not a readable"):
            open_model(path, CPU)


@EACH
def test_a_file_of_another_version_is_refused(written, name, monkeypatch):
    path = written(name)
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    with pytest.raises(SegError, match=f"model{path.suffix}: not a model file of this version"):
        open_model(path, CPU)


@EACH
def test_without_padding_multiples_are_taken_as_they_are(tmp_path, name):
    made = make(padding=False)
    assert_same_model(write(name, made, tmp_path), made, [(1, 32, 48), (3, 64, 16)])


@EACH
def test_writing_leaves_the_model_as_it_was(tmp_path, name):
    made = make()
    made.segmenter.train()
    write(name, made, tmp_path)
    assert made.segmenter.training
    made.segmenter(torch.zeros(1, 3, 16, 16)).mean().backward()
    assert all(weight.grad is not None for weight in made.segmenter.parameters())


def test_formats_load_without_their_libraries():
    code = (
        "import sys; from seglib import formats, plugins; "
        "[plugins.load(formats, name) for name in plugins.names(formats)]; "
        "print({'onnx', 'onnxruntime', 'openvino', 'tensorrt'} & sys.modules.keys() or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "light"


def test_every_format_has_a_suffix_of_its_own():
    suffixes = [plugins.load(formats, name).SUFFIX for name in plugins.names(formats)]
    assert len({*suffixes, ".pt"}) == len(suffixes) + 1
    assert all(suffix.startswith(".") for suffix in suffixes)
