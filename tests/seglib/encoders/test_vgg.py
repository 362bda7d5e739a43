import pytest
import torch
import torch.nn.functional as F

from seglib.encoders.vgg import VGG16


def test_features_are_taken_before_each_pooling():
    encoder = VGG16(4, batch_norm=False)
    shapes = [tuple(features.shape) for features in encoder(torch.zeros(1, 4, 32, 48))]
    assert shapes == [(1, 64, 32, 48), (1, 128, 16, 24), (1, 256, 8, 12), (1, 512, 4, 6), (1, 512, 2, 3)]
    assert encoder.channels == (64, 128, 256, 512, 512)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_first_two_stages_follow_the_published_layers(batch_norm):
    torch.manual_seed(0)
    encoder, x = VGG16(3, batch_norm=batch_norm).eval(), torch.randn(1, 3, 16, 16)
    state = encoder.state_dict()

    def layer(x, index):
        x = F.conv2d(x, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1)
        if batch_norm:
            norm = [state[f"features.{index + 1}.{leaf}"] for leaf in ("running_mean", "running_var", "weight", "bias")]
            x = F.batch_norm(x, *norm)
        return x.relu()

    first, second = ((0, 3), (7, 10)) if batch_norm else ((0, 2), (5, 7))
    expected = layer(layer(x, first[0]), first[1])
    found = encoder(x)
    torch.testing.assert_close(found[0], expected)
    expected = layer(layer(F.max_pool2d(expected, 2), second[0]), second[1])
    torch.testing.assert_close(found[1], expected)
