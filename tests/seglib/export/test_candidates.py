"""Models as they are compared."""

from seglib.export.candidates import file_bytes


def test_a_file_counts_alone_and_openvino_with_its_weights(tmp_path):
    for name, size in (("best.pt", 5), ("best.onnx", 7), ("best.bin", 11), ("best.xml", 13)):
        (tmp_path / name).write_bytes(bytes(size))
    assert file_bytes(tmp_path / "best.pt") == 5
    assert file_bytes(tmp_path / "best.onnx") == 7
    assert file_bytes(tmp_path / "best.xml") == 13 + 11
