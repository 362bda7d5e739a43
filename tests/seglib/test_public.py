import pytest

from seglib.public import public


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/home/me/vgg16.pth", "vgg16.pth"),
        ("C:\\data\\own.zip", "own.zip"),
        ("data/own", "data/own"),
        ("https://me:secret@host:8080/a/b.zip?token=1#part", "https://host:8080/a/b.zip"),
        ("s3://key@bucket/a", "s3://bucket/a"),
        ("file:///home/me/vgg16.pth", "vgg16.pth"),
        ("https://[me:secret@host", "an address"),
        (["/home/me/a.pt", 1], ["a.pt", 1]),
        (("/a", ["/b/c"]), ("a", ["c"])),
        (0.5, 0.5),
        (None, None),
        ("", ""),
    ],
)
def test_places_and_secrets_are_left_out(value, shown):
    assert public(value) == shown
