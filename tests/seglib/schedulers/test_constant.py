from seglib.schedulers.constant import Params, factor


def test_it_is_one_at_every_step():
    assert {factor(Params(), step, 7, [0.5] * step) for step in range(7)} == {1.0}
